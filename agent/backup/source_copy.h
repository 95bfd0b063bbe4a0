// Source copy: reads one source of a system into a sink, whatever its kind, and tells its facts.
#pragma once

#include "agent/backup/backup.h"
#include "agent/source/sink.h"

#include <string>

namespace holdfast::agent {

/// Where a source is, for people: a path, or HOST:PORT.
std::string source_place(const SourceSettings& source);

/// Copies `source` into `sink`; answers its facts, a JSON object in text.
/// Errors: the source's and the sink's.
/// `scratch` as in BackupSettings.
Result<std::string> copy_source(const SourceSettings& source, Sink& sink, BackupProgress& progress,
                                const std::string& scratch);

}  // namespace holdfast::agent
