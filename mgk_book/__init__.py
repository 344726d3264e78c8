"""페이지가 사이트가 되는 길. 책의 코드(mgk_docs_src)와 torch는 import하지 않는다."""
