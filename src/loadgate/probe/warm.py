"""Pay in the parent what every child's first load would pay again."""


def up() -> None:
    return
