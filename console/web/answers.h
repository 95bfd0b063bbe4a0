// Answers: pages, redirections and cookies as HTTP responses, each with the headers that keep a
// browser from doing more with them than showing them.
#pragma once

#include "replicator/http/exchange.h"

#include <string>
#include <string_view>

namespace holdfast::console {

// The prefix makes browsers demand Secure, Path=/ and no Domain: no other host can plant one.
constexpr const char* session_cookie = "__Host-holdfast";
constexpr const char* form_cookie = "__Host-holdfast-form";

replicator::HttpResponse html_answer(unsigned status, const std::string& html);
replicator::HttpResponse file_answer(const char* type, std::string_view content);
/// To a path of this console, to be fetched with GET.
replicator::HttpResponse go_to(const char* path);

void set_cookie(replicator::HttpResponse& response, const char* name, const std::string& value);
void clear_cookie(replicator::HttpResponse& response, const char* name);

/// Of a request; empty if it has none, or if it is no token's form.
std::string token_cookie(const replicator::HttpRequest& request, const char* name);

}  // namespace holdfast::console
