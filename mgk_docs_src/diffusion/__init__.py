"""확산 모델: `docs/diffusion/`의 페이지들."""
