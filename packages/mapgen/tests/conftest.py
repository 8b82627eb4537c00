import pytest
from mapgen import Area, Building, Road, Scene, Water


@pytest.fixture
def town():
    """A tile with every type of feature, a hole, crossing roads and a path."""
    return Scene(
        land="residential",
        features=[
            Area("forest", [(-40, -40), (0, -40), (-10, 10), (-40, 0)]),
            Water(outline_m=[(10, 10), (30, 10), (30, 30), (10, 30)], holes_m=[[(15, 15), (20, 15), (20, 20)]]),
            Building(outline_m=[(-30, 20), (-15, 22), (-17, 33), (-32, 30)]),
            Road("stream", angle=80, offset=-70),
            Road("trunk", angle=30, offset=-20),
            Road("primary", width_m=6, path_m=[(-45, 20), (0, 0), (20, -20), (20, -45)]),
        ],
    )
