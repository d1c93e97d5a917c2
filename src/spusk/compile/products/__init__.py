"""Matrix products as native functions specialised to their sizes and strides.

>>> product = Product.of_rows("float32", 32, 10, 64)
>>> text, declarations = tile_function("scores", product, Target(vector_bytes=32, has_fma=True))
>>> text.splitlines()[0]
'define internal void @scores(ptr noalias %c, ptr noalias readonly %a, ptr noalias readonly %b, \
ptr noalias %scratch, i64 %m_begin, i64 %m_end) noinline nounwind {'
"""

from spusk.compile.products.blas import blas_accepts, blas_function
from spusk.compile.products.emitter import Emitter
from spusk.compile.products.epilogue import Epilogue, Spot
from spusk.compile.products.form import scratch_elements
from spusk.compile.products.function import tile_function
from spusk.compile.products.parts import LONGEST, Part, in_parts
from spusk.compile.products.pointer import blas_pointer
from spusk.compile.products.product import Product
from spusk.compile.products.rule import prefers_tiles
from spusk.compile.products.target import Target

__all__ = [
    "LONGEST",
    "Emitter",
    "Epilogue",
    "Part",
    "Product",
    "Spot",
    "Target",
    "blas_accepts",
    "blas_function",
    "blas_pointer",
    "in_parts",
    "prefers_tiles",
    "scratch_elements",
    "tile_function",
]
