"""People that are kept for later clips, where the model folder has a model for them."""

from typing import Any, NoReturn

from mediagen.sdk.service.kinds.kind import Kind
from mediagen.sdk.service.refusals import Refused
from mediagen.sdk.tasks.requests import Request


class Character(Kind):
    """No job is made of it yet: its routes say that people cannot be kept."""

    name, what, method = "character", "putting a person into clips", "personalize"
    families, request = ("personalize",), Request

    def add_routes(self, router: Any, service: Any) -> None:
        """See Kind."""

        def none(**_: str) -> NoReturn:
            service.require(self.name)
            raise Refused(501, "got a character, which this server cannot keep yet.", "model_not_available")

        @router.post("/v1/videos/characters", summary="Keep a person for later clips")
        def create() -> dict[str, Any]:
            none()

        @router.get("/v1/videos/characters/{id}", summary="A person that was kept")
        def get(id: str) -> dict[str, Any]:
            none(id=id)


KIND = Character()
