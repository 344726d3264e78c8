// 코드마다 복사 단추를 단다. 출력에는 달지 않는다. 누르면 복사하는 것은 테마다.
// 테마의 것(content.code.copy)은 단추를 달 때마다 다음 코드의 크기를 재므로, 긴 페이지에서 모양을 코드의 수만큼 다시 셈한다.
for (const pre of document.querySelectorAll("[class*=language-].highlight:not(:has(> .filename)) pre:has(> code)")) {
  const button = document.createElement("button");
  button.className = "md-code__button";
  button.type = "button";
  button.title = say("클립보드로 복사", "Copy to clipboard");
  button.dataset.mdType = "copy";
  button.dataset.clipboardText = pre.querySelector("code").textContent;
  const tools = document.createElement("div");
  tools.className = "md-code__nav";
  tools.append(button);
  pre.prepend(tools);
}
