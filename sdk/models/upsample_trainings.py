"""The trainings of upsampling, for the table of trainings."""

from mediagen.sdk.models.training import Ingredients, Place, Training


def _upsample() -> Ingredients:
    from mediagen.sdk.models.folder import ModelFolder
    from mediagen.train.tasks.upsample import Damage, UpsampleTask, UpsampleTaskConfig
    from mediagen.upsample import UpsampleModel

    def task(model: UpsampleModel, config: UpsampleTaskConfig, at: Place) -> UpsampleTask:
        folder = ModelFolder.of(at.models, at.device)
        damage = Damage(at.frozen("tae"))
        if config.made and folder.has("video"):
            size = (folder.limits.width, folder.limits.height)
            damage = Damage(damage.tae, at.frozen("prompt"), at.frozen("video"), size)
        return UpsampleTask(model, at.frozen("upsample_tae"), damage, config, at.folder / "cache", at.device)

    return Ingredients(UpsampleModel.PRESETS, UpsampleModel, UpsampleTaskConfig, task)


def _upsample_tae() -> Ingredients:
    from mediagen.tae import TAE
    from mediagen.train.tasks.tae import TAETask, TAETaskConfig

    return Ingredients(TAE.PRESETS, TAE, TAETaskConfig, lambda model, config, at: TAETask(model, config, at.device))


UPSAMPLING: dict[str, Training] = {
    "upsample-tae": Training(
        "autoencoder of single frames, for the upsampler; begins with one of films (--start)",
        "upsample_tae",
        _upsample_tae,
        work=35,
        preset="frames",
        task={"size": (128, 128), "frames": 1, "batch": 16, "difficulty": "standard", "fit_clips": 0},
        loop={"steps": 1_000, "lr": 3e-4, "ema": 0.998},
    ),
    "upsample": Training(
        "transformer that makes pictures twice as large",
        "upsample",
        _upsample,
        work=110,
        loop={"steps": 4_000, "lr": 1e-3, "warmup": 200, "ema": 0.998, "lr_last": 0.02},
    ),
}
