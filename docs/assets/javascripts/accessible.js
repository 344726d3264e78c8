// 기본 테마가 이름을 주지 않는 것에 이름을, 밀 수 있는데 닿을 수 없는 것에 초점을 준다.
const say = (korean, english) => (document.documentElement.lang === "en" ? english : korean);
function accessible() {
  document.querySelector(".md-search[role=dialog]")?.setAttribute("aria-label", say("검색", "Search"));
  document.querySelector(".md-search__form")?.setAttribute("aria-label", say("사이트 검색", "Search this site"));
  document.querySelector(".md-dialog")?.setAttribute("role", "status"); // ‘복사했다’를 화면 낭독기도 읽는다
  // 차례의 묶음마다 그 제목을 이름으로 준다. 첫 페이지가 있는 묶음의 이름표는 비어 있다.
  for (const nav of document.querySelectorAll("nav[aria-labelledby^=__nav_]")) {
    const title = nav.parentElement.querySelector(".md-nav__link").textContent.trim();
    nav.setAttribute("aria-label", `${say("차례", "Contents")}: ${title}`);
    nav.removeAttribute("aria-labelledby");
  }
  // 복사 단추의 묶음도 길잡이(landmark)라서 저마다 이름이 있어야 한다.
  document.querySelectorAll(".md-code__nav").forEach((nav, index) => nav.setAttribute("aria-label", say(`코드 ${index + 1} 도구`, `Code ${index + 1} tools`)));
  const boxes = ".md-typeset__scrollwrap, .md-typeset pre > code, .jp-OutputArea-output > pre";
  for (const box of document.querySelectorAll(boxes)) box.tabIndex = 0;
}
accessible();
// 테마는 표의 틀과 복사 단추를 나중에 만든다.
new MutationObserver(accessible).observe(document.body, { childList: true, subtree: true });
