"""What a provider may do wrong, and how it has to end: the rows of the fault matrix that one
request can show.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from tests.durability.routes import HURRIED, KEYED, UNKEYED, Route


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """A fault in the words of the fault lab, and what is expected: the end, its typed error, how
    often the request was sent, and accepted.
    """

    row: int
    fault: str
    ends: str = "completed"
    code: str | None = None
    requests: int = 1
    submits: int = 1
    route: Route = field(default=KEYED)
    #: From the acceptance to the submit that was taken, at the least.
    after_s: float = 0.0

    def __str__(self) -> str:
        return f"row {self.row}, {self.route.model}: {self.fault}"


def unsure(row: int, fault: str, submits: int = 1) -> Case:
    """Nobody can be asked what became of the request: the person decides."""
    return Case(
        row=row,
        fault=fault,
        ends="unknown",
        code="submit_unknown",
        submits=submits,
        route=UNKEYED,
    )


#: These are about the provider as a whole, which is left alone for a while; one after the other.
PAUSES = (
    Case(row=8, fault="submit=status:429", requests=2, after_s=1.5),
    Case(row=8, fault="submit=status:429:3", requests=2, after_s=3.0),
    Case(row=8, fault="submit=status:503:3", requests=2, after_s=3.0),
)
#: Said of the newest job of the model, which is another generation's and done.
ANOTHERS = Case(row=12, fault="submit=other_job", ends="unknown", code="submit_unknown")
CASES = (
    Case(row=8, fault="submit=status:500", requests=2),
    Case(row=8, fault="submit=status:500*3", requests=4),
    Case(row=8, fault="submit=status:503*2", requests=3),
    unsure(8, "submit=status:500", submits=0),
    Case(row=8, fault="submit=status:400", ends="failed", code="invalid_request", submits=0),
    Case(row=8, fault="submit=status:401", ends="failed", code="auth", submits=0),
    Case(row=8, fault="poll=status:429:1"),
    Case(row=8, fault="poll=status:500*3"),
    Case(row=8, fault="poll=status:503*2"),
    Case(row=10, fault="submit=hang", requests=2),
    unsure(10, "submit=hang"),
    Case(row=10, fault="poll=hang"),
    Case(row=10, fault="result=hang"),
    Case(row=10, fault="result=drip"),
    Case(row=11, fault="submit=drop_before", requests=2),
    unsure(11, "submit=drop_before", submits=0),
    Case(row=11, fault="submit=drop_after", requests=2),
    unsure(11, "submit=drop_after"),
    Case(row=12, fault="submit=malformed", requests=2),
    unsure(12, "submit=malformed"),
    Case(row=12, fault="submit=html", requests=2),
    unsure(12, "submit=html"),
    Case(row=12, fault="submit=unknown_status"),
    Case(row=12, fault="poll=malformed*2"),
    Case(row=12, fault="poll=html*2"),
    Case(row=12, fault="poll=html*0", ends="failed", code="timeout", route=HURRIED),
    Case(row=12, fault="poll=unknown_status*2"),
    Case(row=12, fault="poll=unknown_status*0", ends="failed", code="provider_error"),
    Case(row=12, fault="poll=other_job*2"),
    Case(row=12, fault="submit=fail", ends="failed", code="provider_error"),
    Case(row=13, fault="poll=stuck*0", ends="failed", code="timeout", route=HURRIED),
    Case(row=13, fault="poll=stuck*4"),
    Case(row=13, fault="poll=flap*4"),
    Case(row=14, fault="result=status:404"),
    Case(row=14, fault="result=status:403*2"),
    Case(row=14, fault="result=status:404*0", ends="failed", code="expired"),
    Case(row=14, fault="result=status:500*2"),
    Case(row=14, fault="result=drop_after"),
    Case(row=14, fault="result=short"),
    Case(row=14, fault="result=short*0", ends="failed", code="wrong_type"),
    Case(row=14, fault="result=wrong_type"),
    Case(row=14, fault="result=malformed"),
    Case(row=14, fault="result=malformed*0", ends="failed", code="wrong_type"),
    Case(row=14, fault="result=empty*2"),
)
