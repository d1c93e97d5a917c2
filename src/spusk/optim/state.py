"""The state that an update rule keeps for a parameter: named slots."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from spusk.graph.place import Place, users_place


class State(Mapping[str, Any]):
    """Named values, read as attributes or by name; never changed in place.

    >>> s = State(m=1.0, v=2.0)
    >>> s.m, s["v"], list(s)
    (1.0, 2.0, ['m', 'v'])
    """

    __slots__ = ("_slots", "place")

    _slots: dict[str, Any]
    place: Place
    """The line of the user's code where it was made."""

    def __init__(self, **slots: Any) -> None:
        object.__setattr__(self, "_slots", slots)
        object.__setattr__(self, "place", users_place())

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        try:
            return self._slots[name]
        except KeyError:
            kept = ", ".join(self._slots) or "none"
            raise AttributeError(f"the state has no slot {name!r}; its slots are: {kept}") from None

    def __setattr__(self, name: str, value: Any) -> None:
        raise AttributeError(f"a State is never changed in place; return a new State({name}=…)")

    def __getitem__(self, name: str) -> Any:
        return self._slots[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._slots)

    def __len__(self) -> int:
        return len(self._slots)

    def __repr__(self) -> str:
        return f"State({', '.join(f'{k}={v!r}' for k, v in self._slots.items())})"

    def __reduce__(self) -> tuple[Any, ...]:
        return _restored, (dict(self._slots),)


def _restored(slots: dict[str, Any]) -> State:
    return State(**slots)


def flatten(tree: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Nested names joined by "/": `{"0.weight": State(m=…)}` gives `{"0.weight/m": …}`."""
    flat: dict[str, Any] = {}
    for name, value in tree.items():
        path = f"{prefix}/{name}" if prefix else name
        if isinstance(value, Mapping):
            flat |= flatten(value, path)  # pyright: ignore[reportUnknownArgumentType]
        else:
            flat[path] = value
    return flat


def unflatten(tree: Mapping[str, Any], flat: Mapping[str, Any], prefix: str = "") -> Any:
    """The same nesting as `tree`, with the leaves of `flat`."""
    built: dict[str, Any] = {}
    for name, value in tree.items():
        path = f"{prefix}/{name}" if prefix else name
        built[name] = unflatten(value, flat, path) if isinstance(value, Mapping) else flat[path]  # pyright: ignore[reportUnknownArgumentType]
    return State(**built) if isinstance(tree, State) else built
