// 예제마다 ▶ 실행을 단다. 문서 서버가 줄 때만 온다(run.py). 시키는 것은 이 서버뿐이고, 무엇을 비교하는지는 서버가 안다.
{
  const { token } = document.currentScript.dataset;
  const english = document.documentElement.lang === "en";
  const words = english
    ? {
        run: "▶ Run", stop: "■ Stop", undo: "Restore", reset: "Restart kernel", code: "Example code, editable",
        keys: "Ctrl+Enter runs. While you type, Tab indents; Escape leaves the code.",
        starting: "Starting a kernel …", running: "Running …", failed: "Stopped with an error", line: (n) => `line ${n}`,
        done: "Done", figure: "Figure", same: "same as the output above", differs: "differs from the output above",
        interrupt: "Stopped", reset_: "The kernel was restarted", time: "Stopped: it ran longer than 2 minutes",
        size: "Stopped: it printed more than 1 MB", busy: "Another block of this page is running",
        died: "The kernel died, perhaps out of memory. The next run starts a new one",
        unavailable: "No kernel could be started. The terminal of the server says why",
        unreachable: "The server does not answer. Is it still running?",
      }
    : {
        run: "▶ 실행", stop: "■ 멈춤", undo: "되돌리기", reset: "커널 다시 시작", code: "예제 코드, 고칠 수 있다",
        keys: "Ctrl+Enter로 실행한다. 쓰는 동안 Tab은 들여쓰기고, Esc는 코드에서 나간다.",
        starting: "커널을 준비하는 중…", running: "실행 중…", failed: "오류로 멈추었다", line: (n) => `${n}째 줄`,
        done: "끝났다", figure: "그림", same: "적힌 출력과 같다", differs: "적힌 출력과 다르다",
        interrupt: "멈추었다", reset_: "커널을 다시 시작했다", time: "2분이 지나 멈추었다",
        size: "출력이 1 MB를 넘어 멈추었다", busy: "이 페이지의 다른 블록이 실행 중이다",
        died: "커널이 죽었다. 메모리가 모자랐을 수 있다. 다음 실행은 새 커널에서 한다",
        unavailable: "커널을 띄우지 못했다. 이유는 서버를 띄운 터미널에 있다",
        unreachable: "서버가 응답하지 않는다. 서버가 돌고 있는지 확인한다",
      };
  const page = location.pathname;
  const post = (name, asked) =>
    fetch(`/_mgk/${name}`, {
      method: "POST",
      headers: { "Content-Type": "application/json", "X-Mgk-Token": token },
      body: JSON.stringify({ page, ...asked }),
    });
  const marked = globalThis.Highlight && new Highlight();
  if (marked) CSS.highlights.set("run-error", marked);

  function made(tag, className, text = "") {
    return Object.assign(document.createElement(tag), { className, textContent: text });
  }

  async function* lines(response) {
    const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
    let rest = "";
    for (let read; !(read = await reader.read()).done; ) {
      const whole = (rest + read.value).split("\n");
      rest = whole.pop();
      yield* whole.map((line) => JSON.parse(line));
    }
  }

  // n째 줄의 글. 색을 칠한 조각들을 지나며 센다.
  function lineOf(code, n) {
    const range = new Range();
    const walker = document.createTreeWalker(code, NodeFilter.SHOW_TEXT);
    let line = 1;
    let started = false;
    for (let node; (node = walker.nextNode()); ) {
      for (let at = 0; at <= node.length; at += 1) {
        if (line === n && !started) range.setStart(node, at);
        if (line === n) range.setEnd(node, at);
        started = started || line === n;
        if (node.data[at] === "\n") line += 1;
      }
    }
    return range;
  }

  function example(block, last) {
    const code = block.querySelector("pre > code");
    const original = code.innerHTML;
    const source = code.textContent;
    const expected = last === block ? "" : last.querySelector("pre > code").textContent;
    const box = made("div", "run");
    const tools = made("div", "run-tools");
    const run = made("button", "", words.run);
    const undo = made("button", "", words.undo);
    const reset = made("button", "", words.reset);
    const status = made("p", "run-status");
    const shown = made("div", "run-shown");
    for (const button of [run, undo, reset]) button.type = "button";
    undo.hidden = reset.hidden = true;
    status.setAttribute("role", "status");
    tools.append(run, undo, reset, status);
    box.append(tools, shown);
    last.after(box);
    code.setAttribute("contenteditable", "plaintext-only");
    if (!code.isContentEditable) code.contentEditable = "true"; // plaintext-only를 모르는 브라우저
    Object.assign(code, { spellcheck: false, ariaLabel: words.code, ariaMultiLine: "true", role: "textbox", title: words.keys });
    let mark, busy, typing = false;

    function unmark() {
      if (mark) marked.delete(mark);
      mark = undefined;
    }

    function show(event) {
      if (event.picture) {
        const data = event.picture === "image/png" ? `base64,${event.text}` : `utf-8,${encodeURIComponent(event.text)}`;
        shown.append(Object.assign(new Image(), { src: `data:${event.picture};${data}`, alt: words.figure }));
      } else if (event.error) {
        const where = event.line ? `${words.line(event.line)} · ` : "";
        shown.append(made("p", "run-error", `${where}${event.error}: ${event.text}`));
        if (event.line && marked) marked.add((mark = lineOf(code, event.line)));
      } else if (event.text) {
        const before = shown.lastElementChild;
        if (before?.dataset.to === event.to) before.textContent += event.text;
        else shown.append(Object.assign(made("pre", "", event.text), { tabIndex: 0 }));
        shown.lastElementChild.dataset.to = event.to;
      }
    }

    async function start() {
      if (busy) return;
      busy = true;
      unmark();
      shown.replaceChildren();
      run.textContent = words.stop;
      status.textContent = reset.hidden ? words.starting : words.running;
      reset.hidden = false;
      let failed = false;
      try {
        const response = await post("run", { code: code.textContent, expected });
        if (!response.ok) throw new Error(await response.text());
        for await (const event of lines(response)) {
          failed ||= Boolean(event.error);
          show(event);
          if (!event.end) {
            if (status.textContent !== words.running) status.textContent = words.running;
            continue;
          }
          const verdict = "agrees" in event ? ` · ${event.agrees ? words.same : words.differs}` : "";
          const ended = event.end === "reset" ? words.reset_ : words[event.end];
          status.textContent = event.end === "done" && failed ? words.failed : ended + verdict;
        }
      } catch (error) {
        status.textContent = error instanceof TypeError ? words.unreachable : error.message;
      }
      run.textContent = words.run;
      busy = false;
    }

    run.addEventListener("click", () => (busy ? post("interrupt") : start()));
    reset.addEventListener("click", async () => {
      await post("reset");
      status.textContent = words.reset_;
    });
    undo.addEventListener("click", () => {
      code.innerHTML = original;
      undo.hidden = true;
      unmark();
      code.focus();
    });
    code.addEventListener("input", () => {
      typing = true;
      unmark();
      undo.hidden = code.textContent === source;
      const copy = block.querySelector("[data-clipboard-text]");
      if (copy) copy.dataset.clipboardText = code.textContent;
    });
    code.addEventListener("blur", () => (typing = false));
    code.addEventListener("keydown", (event) => {
      const put = (text) => document.execCommand("insertText", false, text);
      if (event.isComposing) return;
      if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) start();
      else if (event.key === "Escape") run.focus();
      else if (event.key === "Tab" && typing && !event.shiftKey) put("    ");
      else return;
      event.preventDefault();
    });
  }

  // 예제는 인증의 줄이 붙은 블록이다. 그 사이에 출력이 있을 수 있다.
  for (const line of document.querySelectorAll(".highlight + .certificate")) {
    const last = line.previousElementSibling;
    const block = last.querySelector(".filename") ? last.previousElementSibling : last;
    if (block?.matches(".language-python.highlight")) example(block, last);
  }
}
