// Probe: does a PostgreSQL server live at this place? Whether it lets us in does not matter.
#pragma once

#include "agent/source/postgres/copy.h"

namespace holdfast::agent::postgres {

/// Tries to log in, for at most `ms_max`. What a server refused is an answer too.
bool answers(const PostgresSettings& settings, int ms_max);

}  // namespace holdfast::agent::postgres
