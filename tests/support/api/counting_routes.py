"""Routes that only tests have: they do what they are told, and count it."""

import threading
from dataclasses import dataclass, field

from fastapi import APIRouter, FastAPI, Response

from api.server.authentication import requires
from api.server.refusal import Refusal
from api.server.route import Route
from schemas.access.scopes import Scope
from schemas.core.error import Code
from schemas.core.form import Answered, Sent


class CountedRequest(Sent):
    """What a route of these tests is sent."""

    name: str
    outcome: str = "done"


class Done(Answered):
    """What it answers."""

    name: str
    number: int


@dataclass(slots=True)
class CountingRoutes:
    """Does what it is told and counts it; waits where it is told to."""

    done: list[str] = field(default_factory=list)
    begun: threading.Event = field(default_factory=threading.Event)
    may_end: threading.Event = field(default_factory=threading.Event)

    def forget(self) -> None:
        """Begin anew for another test: the routes stay."""
        self.done.clear()
        self.begun.clear()
        self.may_end.clear()

    def routes(self, app: FastAPI) -> None:
        """Have the API offer it."""
        router = APIRouter(route_class=Route)
        router.post("/deeds", dependencies=[requires(Scope.TASKS)])(self.do)
        router.post("/bare", dependencies=[requires(Scope.TASKS)])(self.do_bare)
        router.post("/repeatable", dependencies=[requires(Scope.TASKS, repeatable=True)], name="do_again")(
            self.do
        )
        router.put("/deeds/{name}", dependencies=[requires(Scope.TASKS)])(self.do_named)
        router.patch("/deeds/{name}", dependencies=[requires(Scope.TASKS)], name="patch")(self.do_named)
        router.delete("/deeds/{name}", dependencies=[requires(Scope.TASKS)], name="undo")(self.do_named)
        router.get("/deeds/{name}", dependencies=[requires(Scope.TASKS)], name="look")(self.do_named)
        app.include_router(router, prefix="/v1")

    def do(self, body: CountedRequest) -> Done:
        """Do it, or fail as told."""
        self.done.append(body.name)
        if body.outcome == "wait":
            self.begun.set()
            assert self.may_end.wait(180)
        if body.outcome == "bug":
            raise ZeroDivisionError
        if body.outcome not in {"done", "wait"}:
            raise Refusal(Code(body.outcome), "as told")
        return Done(name=body.name, number=len(self.done))

    def do_bare(self) -> Done:
        """Do it without a body."""
        self.done.append("bare")
        return Done(name="bare", number=len(self.done))

    def do_named(self, name: str, response: Response) -> Done:
        """Do what cannot be done twice, and say where it is."""
        if name in self.done:
            raise Refusal(Code.NOT_FOUND, "it is done")
        self.done.append(name)
        response.headers["Location"] = f"/v1/deeds/{name}"
        response.headers["Cache-Control"] = "no-store"
        response.headers["Retry-After"] = "1"
        return Done(name=name, number=len(self.done))
