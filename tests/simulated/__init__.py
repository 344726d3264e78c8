"""GPU가 없는 컴퓨터에서 GPU의 규칙을 지키는지 보는 모의 CUDA 장치. `make test DEVICE=simulated`.

CPU판 torch에는 CUDA의 디스패치 키가 있지만 커널이 없다. `device.cpp`가 그 자리를 채운다: 장치의 메모리는 호스트의
메모리이고, 커널은 같은 메모리를 가리키는 CPU 텐서로 부른 CPU 커널이다. 책의 코드는 고치지 않는다.

- 카드가 거부하는 것을 거부한다: 두 장치의 텐서, CUDA 커널이 없는 연산, 다른 장치의 발생기, NumPy로 넘긴 CUDA 텐서,
  범위 밖의 번호, 갈라진(fork) 자식에서 쓴 CUDA. 규칙은 설치된 torch의 `native_functions.yaml`에서 읽는다(`rules.py`).
- 기다림과 복사를 센다(`device.counting`). 이 수의 상한은 `test_budgets.py`에 있다.
- 먼저 스스로를 시험한다(`test_canaries.py`). 고정한 버전이 아닌 torch에서는 돌지 않는다.

볼 수 없는 것: 커널의 반올림과 더하는 순서, TF32, 스트림의 경쟁, 메모리의 한계, `torch.compile`의 커널, NCCL, 시간.
그래서 인증은 쓰지 않는다.
"""
