// Words: what synthetic clinical text is made of, and how a template becomes a sentence.
//
// Template marks: '#' is a digit, '^' a digit from 1 to 9, '{x}' a phrase from list x, which is
// itself a template. The lists are part of the data set's definition: a change changes every hash.
#pragma once

#include "images/demo/epr/draw.h"

#include <span>
#include <string>
#include <string_view>

namespace holdfast::demo {

using Words = std::span<const std::string_view>;

/// The list behind '{name}'; empty if there is none.
Words words(char name);

/// Appends `pattern` to `out`, its marks replaced by what `draw` says.
void expand(std::string_view pattern, Draw& draw, std::string& out);

/// Appends `text` as somebody in a hurry types it: about every sixth word has a slip.
void type_hastily(std::string_view text, Draw& draw, std::string& out);

/// One phrase of list `name`, expanded.
std::string phrase(char name, Draw& draw);

}  // namespace holdfast::demo
