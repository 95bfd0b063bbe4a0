// Letter: one letter of the data set, as text and as the file that stands for it.
//
// The text is also kept in the letter's row, so that a client that reaches only the database can
// show it; the file is what a document store holds: plain text, HTML or PDF.
#pragma once

#include "images/demo/epr/dataset.h"

#include <optional>
#include <string>

namespace holdfast::demo {

enum class Format { Text, Html, Pdf };

struct Letter {
    std::uint64_t patient;
    std::uint64_t encounter;
    std::string written_on;
    std::string title;
    Format format;
    std::string path;  // Below the documents folder.
    std::string body;  // 2 to 3 KB.
};

/// "txt", "html" or "pdf".
std::string format_name(Format format);

/// Letters up to data.letters() are loaded; letter data.letters() + j is transaction j * 7's.
Letter letter(const Dataset& data, std::uint64_t id);

/// The id in the name of a letter's file, if `path` has the form of one.
std::optional<std::uint64_t> letter_in(const std::string& path);

/// The file's content.
std::string render(const Letter& letter);

}  // namespace holdfast::demo
