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
// 글을 골라 복사하면 수식은 LaTeX로 간다. 그대로 두면 기호가 한 줄에 하나씩 붙는다.
document.addEventListener("copy", (event) => {
  const selection = getSelection();
  if (!selection.rangeCount) return;
  const range = selection.getRangeAt(0).cloneRange();
  // 반쯤 고른 수식은 통째로 가져간다.
  const formula = (node) => (node.closest ? node : node.parentElement).closest("math");
  const [first, last] = [formula(range.startContainer), formula(range.endContainer)];
  if (first) range.setStartBefore(first);
  if (last) range.setEndAfter(last);
  const copied = document.createElement("div");
  copied.append(range.cloneContents());
  const formulas = copied.querySelectorAll("math");
  if (!formulas.length) return;
  for (const math of formulas) {
    const latex = math.querySelector("annotation[encoding$=tex]").textContent;
    math.replaceWith(math.getAttribute("display") === "block" ? `$$${latex}$$` : `$${latex}$`);
  }
  for (const unwanted of copied.querySelectorAll(".headerlink, button, script, style")) unwanted.remove();
  // 문단 사이의 줄바꿈은 그려진 것의 innerText가 안다.
  document.querySelector("article").append(copied);
  event.clipboardData.setData("text/plain", copied.innerText.trim());
  event.clipboardData.setData("text/html", copied.innerHTML);
  copied.remove();
  event.preventDefault();
});
