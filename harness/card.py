"""What the driver says of the GPU that torch computes on: energy, clocks, and who else is on it; through NVML."""

from typing import Any

import torch


def _card() -> tuple[Any, Any] | None:
    """NVML and its handle of torch's current GPU; None without a GPU or the optional package."""
    if not torch.cuda.is_available():
        return None
    try:
        import pynvml

        pynvml.nvmlInit()
        uuid = torch.cuda.get_device_properties(torch.cuda.current_device()).uuid
        return pynvml, pynvml.nvmlDeviceGetHandleByUUID(f"GPU-{uuid}")
    except Exception:  # the package, the library or the card's name is missing: nothing is then read
        return None


def energy_j() -> float | None:
    """The GPU's energy counter in joules, or None where none can be read."""
    if (found := _card()) is None:
        return None
    nvml, card = found
    try:
        return float(nvml.nvmlDeviceGetTotalEnergyConsumption(card)) / 1000
    except nvml.NVMLError:
        return None


def facts() -> dict[str, str | int]:
    """The driver's version, and the present clocks of the card's processors and memory in MHz; empty without NVML."""
    if (found := _card()) is None:
        return {}
    nvml, card = found
    try:
        return {
            "driver": str(nvml.nvmlSystemGetDriverVersion()),
            "gpu_clock_mhz": int(nvml.nvmlDeviceGetClockInfo(card, nvml.NVML_CLOCK_SM)),
            "gpu_memory_clock_mhz": int(nvml.nvmlDeviceGetClockInfo(card, nvml.NVML_CLOCK_MEM)),
        }
    except nvml.NVMLError:
        return {}


def other_processes() -> int:
    """Processes that compute on the card beside this one; 0 where that cannot be read.

    They are counted rather than named: a container does not know its own process by the number the driver gives.
    """
    if (found := _card()) is None:
        return 0
    nvml, card = found
    try:
        return max(0, len(nvml.nvmlDeviceGetComputeRunningProcesses(card)) - 1)
    except nvml.NVMLError:
        return 0
