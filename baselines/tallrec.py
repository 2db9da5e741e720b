"""TALLRec: an LLM reads the titles of what a user chose and of one target, and says whether the user will like it.

Bao et al., "TALLRec: An Effective and Efficient Tuning Framework to Align Large Language Model with Recommendation",
RecSys 2023. Their histories are parted into liked and disliked items. LLM-TRSR compares on sets of clicks, where all
are liked; so are here the items of any set, whatever their ratings.
"""

from pydantic import Field

from baselines.yes_no import YesNoConfig, YesNoRecommender
from harness.system import SystemSpec, register


class TallrecConfig(YesNoConfig):
    """TALLRec's adapter in LLM-TRSR's budget; titles alone, of the 25 most recent items at most."""

    lora_targets: tuple[str, ...] = ("q_proj", "v_proj")
    prompts: str | None = "tallrec"
    recent: int = Field(25, ge=0)


register(
    SystemSpec(
        name="tallrec",
        source="Bao et al. 2023 (TALLRec), section 3, in the budget of Zheng et al. 2024",
        config=TallrecConfig,
        build=YesNoRecommender,
        tasks=("candidates",),
        needs=("texts", "backbone", "prompts"),
        llm="LoRA-tuned",
        conventional=False,
        layout=("micro_batch",),
    )
)
