// 기본 테마가 이름을 주지 않는 것에 이름을, 밀 수 있는데 닿을 수 없는 것에 초점을 준다.
function accessible() {
  document.querySelector(".md-search[role=dialog]")?.setAttribute("aria-label", "검색");
  document.querySelector(".md-search__form")?.setAttribute("aria-label", "사이트 검색");
  for (const table of document.querySelectorAll(".md-typeset__scrollwrap, .md-typeset pre > code")) {
    table.tabIndex = 0;
  }
}
if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", accessible);
else accessible();
