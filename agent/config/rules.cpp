#include "agent/config/rules.h"

#include "agent/config/name.h"
#include "agent/config/nbd_uri.h"
#include "agent/config/system_settings.h"
#include "vault/base/glob.h"
#include "vault/base/units.h"

#include <arpa/inet.h>

#include <algorithm>
#include <array>

namespace holdfast::agent::config {
namespace {

bool is_digit(char c) {
    return c >= '0' && c <= '9';
}
bool is_letter(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}
bool is_control(char c) {
    return static_cast<unsigned char>(c) < 0x20 || c == 0x7f;
}

bool is_line(std::string_view text) {
    return !text.empty() && std::none_of(text.begin(), text.end(), is_control);
}

bool is_paragraph(std::string_view text) {
    return std::none_of(text.begin(), text.end(),
                        [](char c) { return is_control(c) && c != '\n' && c != '\t'; });
}

bool is_path(std::string_view text) {
    if (!is_line(text) || text[0] != '/') return false;
    if (text == "/") return true;
    for (std::size_t at = 0; at < text.size();) {
        const std::size_t end = std::min(text.find('/', at + 1), text.size());
        const std::string_view part = text.substr(at + 1, end - at - 1);
        if (part.empty() || part == "." || part == "..") return false;
        at = end;
    }
    return true;
}

bool is_host_name(std::string_view text) {
    return !text.empty() && text[0] != '-' && std::all_of(text.begin(), text.end(), [](char c) {
        return is_letter(c) || is_digit(c) || c == '.' || c == '-';
    });
}

bool is_v4(const std::string& text) {
    in_addr ignored{};
    return inet_pton(AF_INET, text.c_str(), &ignored) == 1;
}
bool is_v6(const std::string& text) {
    in6_addr ignored{};
    return inet_pton(AF_INET6, text.c_str(), &ignored) == 1;
}

bool is_host(const std::string& text) {
    return text[0] == '/' ? is_path(text) : is_host_name(text) || is_v6(text);
}

bool is_port(std::string_view text) {
    if (text.empty() || text.size() > 5 || text[0] == '0') return false;
    if (!std::all_of(text.begin(), text.end(), is_digit)) return false;
    int port = 0;
    for (const char c : text) port = port * 10 + (c - '0');
    return port <= 65'535;
}

/// "HOST:PORT"; an IPv6 address stands in brackets.
bool is_end_point(const std::string& text, bool by_name) {
    const std::size_t colon = text.rfind(':');
    if (colon == std::string::npos || !is_port(std::string_view(text).substr(colon + 1))) {
        return false;
    }
    const std::string host = text.substr(0, colon);
    if (host.size() > 2 && host.front() == '[' && host.back() == ']') {
        return is_v6(host.substr(1, host.size() - 2));
    }
    return is_v4(host) || (by_name && is_host_name(host));
}

bool is_account(std::string_view text) {
    if (text.empty() || text == "root") return false;
    if (!(text[0] >= 'a' && text[0] <= 'z') && text[0] != '_') return false;
    return std::all_of(text.begin(), text.end(), [](char c) {
        return (c >= 'a' && c <= 'z') || is_digit(c) || c == '_' || c == '-';
    });
}

bool is_trust_id(const std::string& text) {
    const auto id = TrustId::from_text(text);
    return id && !id->zero();
}

using Accepts = bool (*)(const std::string&);

template <Accepts accepts>
Complaint expects(const std::string& text, const Rule& rule) {
    return accepts(text) ? "" : "expected " + std::string(rule.expected);
}

Complaint pattern_complaint(const std::string& text, const Rule&) {
    const auto glob = Glob::parse(text);
    return glob ? "" : glob.error().message;
}

template <Placeholders allowed>
Complaint argument_complaint(const std::string& text, const Rule&) {
    return mistake_in(text, allowed).value_or("");
}

constexpr auto line_complaint = expects<[](const std::string& t) { return is_line(t); }>;

}  // namespace

Complaint complaint_of(const std::string& text, const Rule& rule) {
    if (text.size() > rule.bytes_max) {
        return "that is " + std::to_string(text.size()) + " bytes long; at most " +
               std::to_string(rule.bytes_max) + " are allowed";
    }
    return rule.complaint(text, rule);
}

namespace rule {

const Rule line{"a line of text", line_bytes_max, line_complaint};
const Rule sentence{"a sentence on one line", 1'000, line_complaint};
const Rule name{"a name: 1 to 40 of a-z, 0-9 and -", name_bytes_max,
                expects<[](const std::string& t) { return is_name(t); }>};
const Rule path{"an absolute path, without . or .. in it or a / at its end", path_bytes_max,
                expects<[](const std::string& t) { return is_path(t); }>};
const Rule disk{
    "an absolute path, or an NBD URI such as \"nbd://HOST/EXPORT\"", path_bytes_max,
    expects<[](const std::string& t) { return is_path(t) || (is_line(t) && is_nbd_uri(t)); }>};
const Rule pattern{"a pattern such as \"*.tmp\"", glob_bytes_max, pattern_complaint};
const Rule host{"a host's name, an address, or the folder of a socket", 255, expects<is_host>};
const Rule role{"the name of a database role", 63, line_complaint};
const Rule account{"the name of a user of this machine that is not root", 32,
                   expects<[](const std::string& t) { return is_account(t); }>};
const Rule bound{"ADDRESS:PORT, such as \"127.0.0.1:8443\"", 64,
                 expects<[](const std::string& t) { return is_end_point(t, false); }>};
const Rule dialled{"HOST:PORT, such as \"192.0.2.10:8420\"", 262,
                   expects<[](const std::string& t) { return is_end_point(t, true); }>};
const Rule trust_id{"the trust's id, 64 of 0-9 and a-f", 64, expects<is_trust_id>};
const Rule query{"an SQL query", query_bytes_max,
                 expects<[](const std::string& t) { return !t.empty() && is_paragraph(t); }>};
const Rule expectation{"the text that the query answers", 1'000,
                       expects<[](const std::string& t) { return is_paragraph(t); }>};
const Rule file_name{"a file's name, without /", 255, expects<[](const std::string& t) {
                         return !t.empty() && t != "." && t != ".." &&
                                t.find_first_of(std::string_view("/\0", 2)) == std::string::npos;
                     }>};
const Rule plain_argument{
    "text", argument_bytes_max,
    expects<[](const std::string& t) { return t.find('\0') == std::string::npos; }>};
const Rule argument{"text", argument_bytes_max, argument_complaint<Placeholders::All>};
const Rule own_argument{"text", argument_bytes_max,
                        argument_complaint<Placeholders::NoPostgresOptions>};

}  // namespace rule
}  // namespace holdfast::agent::config
