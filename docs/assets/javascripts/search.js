// 테마의 검색 칸은 글쇠가 올라올 때만 찾는다. 마우스로 붙인 것, 받아쓴 것, 화면 글자판으로 넣은 것도 찾게 한다.
document.addEventListener("input", (event) => {
  if (event.target.matches(".md-search__input")) event.target.dispatchEvent(new Event("keyup"));
});
