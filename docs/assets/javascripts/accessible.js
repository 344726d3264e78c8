// 기본 테마가 이름을 주지 않는 것에 이름을, 밀 수 있는데 닿을 수 없는 것에 초점을 준다.
// 이미 준 것은 건드리지 않는다. 속성을 다시 적으면 그때마다 브라우저가 모양을 새로 셈한다.
const say = (korean, english) => (document.documentElement.lang === "en" ? english : korean);
let waiting = false;
function accessible() {
  waiting = false;
  document.querySelector(".md-search[role=dialog]:not([aria-label])")?.setAttribute("aria-label", say("검색", "Search"));
  document.querySelector(".md-search__form:not([aria-label])")?.setAttribute("aria-label", say("사이트 검색", "Search this site"));
  document.querySelector(".md-dialog:not([role])")?.setAttribute("role", "status"); // ‘복사했다’를 화면 낭독기도 읽는다
  // 차례의 묶음마다 그 제목을 이름으로 준다. 첫 페이지가 있는 묶음의 이름표는 비어 있다.
  for (const nav of document.querySelectorAll("nav[aria-labelledby^=__nav_]")) {
    const title = nav.parentElement.querySelector(".md-nav__link").textContent.trim();
    nav.setAttribute("aria-label", `${say("차례", "Contents")}: ${title}`);
    nav.removeAttribute("aria-labelledby");
  }
  const boxes = ":is(.md-typeset__scrollwrap, .md-typeset pre > code, .jp-OutputArea-output > pre):not([tabindex])";
  for (const box of document.querySelectorAll(boxes)) box.tabIndex = 0;
}
accessible();
// 테마는 표의 틀을 나중에 하나씩 만든다. 한 장면에 한 번만 본다.
new MutationObserver(() => {
  if (!waiting) requestAnimationFrame(accessible);
  waiting = true;
}).observe(document.body, { childList: true, subtree: true });
