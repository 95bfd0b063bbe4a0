// Report: a run as a page for people.
#pragma once

#include "agent/failover/run.h"

#include <string>

namespace holdfast::agent {

std::string report_text(const Run& run);

}  // namespace holdfast::agent
