"""The programs of the project's folder release/tools/, as modules."""

import sys

from tools.template import PROJECT_FOLDER

sys.path.insert(0, str(PROJECT_FOLDER / "release" / "tools"))
sys.dont_write_bytecode = True  # the template's folder stays clean
import archives as archives  # noqa: E402
import environment as environment  # noqa: E402
import gate as gate  # noqa: E402
import licenses as licenses  # noqa: E402
import plan as plan  # noqa: E402
import platforms as platforms  # noqa: E402
import published as published  # noqa: E402
import rehearse as rehearse  # noqa: E402
