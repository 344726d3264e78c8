"""hooks/pages_as_notebooks.py: 페이지의 끝에서 그 노트북으로 간다."""

from hooks import pages_as_notebooks as hook


def test_a_page_links_its_notebook_and_colab_only_when_the_repository_is_known() -> None:
    content = hook.links("part/page.md", None)
    assert '<a href="page.ipynb" download>' in content
    assert "colab" not in content
    address = "https://colab.research.google.com/github/team/book/blob/notebooks/part/page.ipynb"
    assert f'<a href="{address}">Colab에서 열기</a>' in hook.links("part/page.md", "team/book")
