"""`mkdocs serve`에서만 하는 일. 펴내는 빌드에는 하나도 들지 않는다.

- kept.py: 고치지 않은 페이지는 다시 그리지 않는다.
- background.py: 아직 없는 실습과 그림을 뒤에서 만든다.
- news.py: 바뀐 페이지만 다시 읽게 하고, 진행과 오류를 보인다.
- run.py, kernels.py, nursery.py: 읽던 자리에서 예제를 돌린다(▶ 실행). agreement.py는 그 출력이 적힌 것과 같은가를 본다.
- desk.py: 위의 것들을 한 책상에 모은다. 플러그인은 이것만 안다.
"""
