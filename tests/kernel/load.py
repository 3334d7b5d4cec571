# SPDX-License-Identifier: GPL-2.0-or-later
"""How much the tests do. SYNFIN_LOAD is a part of all, for processors that are
emulated; what they may not take then is not held against a clock either.
"""

import os

LOAD = float(os.environ.get("SYNFIN_LOAD", "1"))
EMULATED = LOAD < 1


def scaled(number):
    return max(1, int(number * LOAD))
