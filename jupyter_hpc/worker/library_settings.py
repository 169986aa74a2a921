"""Settings of well-known libraries, through what they offer for them; each is touched only where it is loaded."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Dict, List

    State = Dict[str, Any]


# -- numpy ---------------------------------------------------------------------------------------


def get_numpy() -> State:
    import numpy as np

    found: State = {f"print.{k}": v for k, v in np.get_printoptions().items() if k != "override_repr" or v}
    found["errors"] = np.geterr()
    call = np.geterrcall()
    if call is not None:
        found["errors.call"] = call
    return found


def set_numpy(values: State, gone: List[str]) -> None:
    import numpy as np

    options = {k.partition(".")[2]: v for k, v in values.items() if k.startswith("print.")}
    if "print.override_repr" in gone:
        options["override_repr"] = None
    if options:
        # legacy first: it decides what others may be
        np.set_printoptions(**options)
    if "errors" in values:
        np.seterr(**values["errors"])
    if "errors.call" in values or "errors.call" in gone:
        np.seterrcall(values.get("errors.call"))


def _numpy_random() -> Any:
    """Return the module, which is not numpy's attribute yet while it is being imported."""
    import sys

    return sys.modules["numpy.random"]


def get_numpy_random() -> State:
    import numpy as np

    state: Any = _numpy_random().get_state(legacy=False)
    if state["bit_generator"] != "MT19937":
        return {"state": state}
    inner = state["state"]
    key = np.asarray(inner["key"], "<u4").tobytes().hex()
    return {"twister": [key, int(inner["pos"]), int(state["has_gauss"]), float(state["gauss"])]}


def set_numpy_random(values: State, gone: List[str]) -> None:
    import numpy as np

    if "twister" in values:
        key, pos, has_gauss, gauss = values["twister"]
        numbers = np.frombuffer(bytes.fromhex(key), "<u4").astype(np.uint32)
        _numpy_random().set_state(("MT19937", numbers, pos, has_gauss, gauss))
    elif "state" in values:
        state = values["state"]
        if _numpy_random().get_state(legacy=False)["bit_generator"] != state["bit_generator"]:
            _numpy_random().set_bit_generator(getattr(_numpy_random(), state["bit_generator"])())
        _numpy_random().set_state(state)


def seed_numpy_random(seed: int) -> None:
    _numpy_random().seed(seed)


# -- matplotlib, and with it seaborn -------------------------------------------------------------

_BACKEND = ("backend", "backend_fallback", "interactive", "toolbar", "webagg", "tk.", "macosx")


def get_matplotlib() -> State:
    """Return the rcParams that are not matplotlib's own defaults."""
    import matplotlib

    defaults = matplotlib.rcParamsDefault
    found = {}
    for key in list(matplotlib.rcParams):
        if key.startswith(_BACKEND):
            continue
        value = matplotlib.rcParams[key]
        if not _equal(value, defaults[key]):
            found[key] = list(value) if isinstance(value, list) else value
    return found


def set_matplotlib(values: State, gone: List[str]) -> None:
    import warnings

    import matplotlib

    wanted = {**{key: matplotlib.rcParamsDefault[key] for key in gone}, **values}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for key, value in wanted.items():
            if key in matplotlib.rcParams:  # another version may lack it
                matplotlib.rcParams[key] = value


def _equal(one: Any, other: Any) -> bool:
    try:
        return bool(one == other)
    except Exception:  # an array in it
        return False


# -- tables --------------------------------------------------------------------------------------


def get_pandas() -> State:
    """Return the options that are not pandas' defaults."""
    import pandas as pd
    from pandas._config import config

    found = {}
    for key, value in _leaves(config._global_config, ""):
        registered = config._registered_options.get(key)
        if registered is None or not _equal(value, registered.defval):
            found[key] = value
    del pd
    return found


def _leaves(tree: Any, before: str) -> Any:
    for key, value in tree.items():
        if isinstance(value, dict):
            yield from _leaves(value, f"{before}{key}.")
        else:
            yield before + key, value


def set_pandas(values: State, gone: List[str]) -> None:
    import pandas as pd

    for key in gone:
        pd.reset_option(f"^{key}$")
    for key, value in values.items():
        pd.set_option(key, value)


def get_xarray() -> State:
    import xarray

    return dict(xarray.get_options())


def set_xarray(values: State, gone: List[str]) -> None:
    import xarray

    here = xarray.get_options()
    xarray.set_options(**{k: v for k, v in values.items() if k in here and here[k] != v})


def get_polars() -> State:
    import polars

    return {"config": polars.Config.save()}


def set_polars(values: State, gone: List[str]) -> None:
    import polars

    polars.Config.restore_defaults()
    polars.Config.load(values["config"])


# -- learning ------------------------------------------------------------------------------------


def get_sklearn() -> State:
    import sklearn

    return dict(sklearn.get_config())


def set_sklearn(values: State, gone: List[str]) -> None:
    import sklearn

    known = sklearn.get_config()
    sklearn.set_config(**{key: value for key, value in values.items() if key in known})


_TORCH_PRINT = ("precision", "threshold", "edgeitems", "linewidth", "sci_mode")


def get_torch() -> State:
    import torch

    found: State = {
        "dtype": str(torch.get_default_dtype()),
        "grad": torch.is_grad_enabled(),
        "deterministic": torch.are_deterministic_algorithms_enabled(),
        "deterministic.warn": torch.is_deterministic_algorithms_warn_only_enabled(),
        "matmul": torch.get_float32_matmul_precision(),
        "cudnn.deterministic": torch.backends.cudnn.deterministic,
        "cudnn.benchmark": torch.backends.cudnn.benchmark,
        "anomaly": torch.is_anomaly_enabled(),
    }
    options = getattr(getattr(torch, "_tensor_str", None), "PRINT_OPTS", None)
    found.update({f"print.{k}": getattr(options, k) for k in _TORCH_PRINT if hasattr(options, k)})
    device = getattr(torch, "get_default_device", None)
    if device is not None:
        found["device"] = str(device())
    return found


def set_torch(values: State, gone: List[str]) -> None:
    import torch

    if "dtype" in values:
        torch.set_default_dtype(getattr(torch, values["dtype"].partition(".")[2]))
    if "grad" in values:
        torch.set_grad_enabled(values["grad"])
    if "deterministic" in values or "deterministic.warn" in values:
        on = values.get("deterministic", torch.are_deterministic_algorithms_enabled())
        torch.use_deterministic_algorithms(on, warn_only=values.get("deterministic.warn", False))
    if "matmul" in values and values["matmul"] != torch.get_float32_matmul_precision():
        torch.set_float32_matmul_precision(values["matmul"])
    for name in ("deterministic", "benchmark"):
        if f"cudnn.{name}" in values:
            setattr(torch.backends.cudnn, name, values[f"cudnn.{name}"])
    if "anomaly" in values:
        torch.autograd.set_detect_anomaly(values["anomaly"])
    options = getattr(getattr(torch, "_tensor_str", None), "PRINT_OPTS", None)
    for name in _TORCH_PRINT:
        if options is not None and f"print.{name}" in values:
            setattr(options, name, values[f"print.{name}"])
    if values.get("device", "cpu") != str(getattr(torch, "get_default_device", lambda: "cpu")()):
        torch.set_default_device(values["device"])


def get_torch_random() -> State:
    import torch

    found: State = {"cpu": torch.get_rng_state().numpy().tobytes().hex()}
    if torch.cuda.is_initialized():
        states = torch.cuda.get_rng_state_all()
        found["cuda"] = [state.cpu().numpy().tobytes().hex() for state in states]
    return found


def set_torch_random(values: State, gone: List[str]) -> None:
    import torch

    def tensor(text: str) -> Any:
        return torch.frombuffer(bytearray.fromhex(text), dtype=torch.uint8)

    if "cpu" in values:
        torch.set_rng_state(tensor(values["cpu"]))
    if "cuda" in values and torch.cuda.is_available():
        for device, text in list(enumerate(values["cuda"]))[: torch.cuda.device_count()]:
            torch.cuda.set_rng_state(tensor(text), device)


def seed_torch_random(seed: int) -> None:
    import torch

    torch.manual_seed(seed)


_JAX = (
    *(
        "jax_enable_x64",
        "jax_default_matmul_precision",
        "jax_debug_nans",
        "jax_debug_infs",
        "jax_disable_jit",
    ),
    *(
        "jax_numpy_dtype_promotion",
        "jax_numpy_rank_promotion",
        "jax_log_compiles",
        "jax_threefry_partitionable",
    ),
    *("jax_default_prng_impl", "jax_check_tracer_leaks", "jax_traceback_filtering", "jax_default_dtype_bits"),
)


def get_jax() -> State:
    import jax

    found = {name: getattr(jax.config, name) for name in _JAX if hasattr(jax.config, name)}
    return {name: getattr(value, "value", value) for name, value in found.items()}  # some are enumerations


def set_jax(values: State, gone: List[str]) -> None:
    import jax

    for name, value in values.items():
        if get_jax().get(name, value) != value:
            jax.config.update(name, value)


# -- pictures of a notebook ----------------------------------------------------------------------


def get_plotly() -> State:
    import plotly.io

    return {"template": plotly.io.templates.default, "renderer": plotly.io.renderers.default}


def set_plotly(values: State, gone: List[str]) -> None:
    import plotly.io

    if "template" in values:
        plotly.io.templates.default = values["template"]
    if "renderer" in values:
        plotly.io.renderers.default = values["renderer"]


_ALTAIR = ("renderers", "data_transformers")


def _altair_registries() -> Dict[str, Any]:
    import altair

    found = {name: getattr(altair, name) for name in _ALTAIR}
    found["theme"] = getattr(altair, "theme", None) or altair.themes  # renamed in altair 5.5
    return found


def get_altair() -> State:
    registries = _altair_registries()
    return {name: [r.active, dict(r.options)] for name, r in registries.items()}


def set_altair(values: State, gone: List[str]) -> None:
    registries = _altair_registries()
    for name, (active, options) in values.items():
        if active:
            registries[name].enable(active, **options)
