"""A graph of ComfyUI, read for what the painters need: words, size, number, seed and pictures.

Only links from the sampler count, as in the real thing; the last sampler is the one that draws.
"""

from typing import Any

FILMS = ("SaveVideo", "VHS_VideoCombine", "SaveAnimatedWEBP", "SaveWEBM")
LATENTS = ("EmptyLatentImage", "EmptySD3LatentImage", "Wan22ImageToVideoLatent")
FRAMES_PER_S = 24
Graph = dict[str, Any]


class GraphError(ValueError):
    """A graph that ComfyUI would refuse: one input of one node is wrong."""

    def __init__(self, node: str, class_type: str, details: str) -> None:
        super().__init__(details)
        self.node = node
        self.class_type = class_type


def read_graph(graph: Graph) -> tuple[dict[str, Any], bool, bool]:
    """Return what is asked for, whether it is a film, and whether a quick model makes it.

    Raises: GraphError.
    """
    check_models(graph)
    sampler = next((n for n in reversed(graph.values()) if n["class_type"] == "KSampler"), None)
    inputs = sampler["inputs"] if sampler else {}
    asked: dict[str, Any] = {"seed": inputs.get("seed")}
    for name, word in (("positive", "prompt"), ("negative", "negative_prompt")):
        asked[word] = linked(graph, inputs.get(name)).get("text", "")
    for node in graph.values():
        if node["class_type"] in LATENTS:
            asked |= {side: node["inputs"].get(side) for side in ("width", "height")}
            asked["n"] = node["inputs"].get("batch_size", 1)
            if "length" in node["inputs"]:
                asked["duration"] = max(1, (node["inputs"]["length"] - 1) // FRAMES_PER_S)
        elif node["class_type"] == "RepeatLatentBatch":
            asked["n"] = node["inputs"].get("amount", 1)
        elif node["class_type"] == "LoadImage":
            asked["image"] = node["inputs"].get("image")
    is_film = any(node["class_type"] in FILMS for node in graph.values())
    return asked, is_film, "quick" in str(model_names(graph))


def check_models(graph: Graph) -> None:
    """Refuse a graph whose model the server does not have: one with `missing` in its name.

    Raises: GraphError.
    """
    for name, node in graph.items():
        if not isinstance(node, dict) or not isinstance(node.get("inputs"), dict):
            raise GraphError(name, "", "the node has no inputs")
        if not isinstance(node.get("class_type"), str):
            raise GraphError(name, "", "the node has no class_type")
        for field in ("ckpt_name", "unet_name"):
            model = node["inputs"].get(field)
            if isinstance(model, str) and "missing" in model:
                details = f"{field}: '{model}' not in ['demo.safetensors']"
                raise GraphError(name, node.get("class_type", ""), details)


def model_names(graph: Graph) -> list[object]:
    """Return the names of the models a graph loads."""
    fields = ("ckpt_name", "unet_name")
    return [node["inputs"].get(field) for node in graph.values() for field in fields]


def linked(graph: Graph, link: object) -> dict[str, Any]:
    """Return the inputs of the node that a link leads to."""
    if not isinstance(link, list) or not link:
        return {}
    inputs: dict[str, Any] = graph.get(str(link[0]), {}).get("inputs", {})
    return inputs


def saving_node(graph: Graph) -> str:
    """Return the node that saves what was drawn."""
    savers = ("SaveImage", *FILMS)
    return next((name for name, node in graph.items() if node["class_type"] in savers), "0")
