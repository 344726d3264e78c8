"""장치의 선택. 없는 장치를 요청하면 조용히 CPU를 쓰지 않고 오류를 낸다."""

import torch


def resolve(name: str) -> torch.device:
    """이름에 맞는 장치를 돌려준다.

    Args:
        name: `"cpu"`, `"cuda"`, `"cuda:1"`처럼 torch가 아는 장치 이름.

    Returns:
        그 장치. `"cuda"`는 지금 쓰는 CUDA 장치다.

    Raises:
        ValueError: torch가 모르는 이름이거나, 이 컴퓨터에 없는 장치이면.

    References:
        PyTorch 문서, `torch.device`.
    """
    try:
        device = torch.device(name)
    except RuntimeError as error:
        raise ValueError(f"name: torch가 모르는 장치 {name!r}. 'cpu', 'cuda', 'cuda:0' 가운데 하나여야 한다") from error
    available = {"cpu": 1, "cuda": torch.cuda.device_count()}.get(device.type, 0)
    if (device.index or 0) >= available:
        raise ValueError(f"name: 이 컴퓨터에 장치 {name!r}가 없다. {device.type} 장치는 {available}개다")
    return device
