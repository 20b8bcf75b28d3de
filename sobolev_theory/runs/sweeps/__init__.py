"""Functions over grids of configurations, a row each of a Parquet file: `st.sweep`; `opened` reads one again."""

from .functions import OfColumns
from .run import sweep
from .tables import Sweep, opened

__all__ = ["OfColumns", "Sweep", "opened", "sweep"]
__dir__ = __all__.copy
