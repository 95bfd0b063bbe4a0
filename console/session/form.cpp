#include "console/session/form.h"

#include <string.h>  // explicit_bzero

#include <algorithm>
#include <optional>

namespace holdfast::console {
namespace {

std::optional<unsigned> hex_digit(char c) {
    if (c >= '0' && c <= '9') return static_cast<unsigned>(c - '0');
    if (c >= 'a' && c <= 'f') return static_cast<unsigned>(c - 'a' + 10);
    if (c >= 'A' && c <= 'F') return static_cast<unsigned>(c - 'A' + 10);
    return std::nullopt;
}

/// Never grows beyond what it reserved first, so that nothing is left behind where it lay before.
std::optional<std::string> decode(std::string_view text) {
    std::string out;
    out.reserve(std::max<std::size_t>(text.size(), 32));  // Not in the string itself: it may move.
    for (std::size_t i = 0; i < text.size(); ++i) {
        char c = text[i] == '+' ? ' ' : text[i];
        if (text[i] == '%') {
            if (text.size() - i < 3) return std::nullopt;
            const auto high = hex_digit(text[i + 1]);
            const auto low = hex_digit(text[i + 2]);
            if (!high || !low) return std::nullopt;
            c = static_cast<char>(*high << 4 | *low);
            i += 2;
        }
        if (c == '\0') return std::nullopt;
        out += c;
    }
    return out;
}

/// The part before `separator`, which is taken off `text`; all of it if there is none.
std::string_view next_part(std::string_view& text, char separator) {
    const std::size_t end = std::min(text.find(separator), text.size());
    const std::string_view part = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    return part;
}

Error not_understood(const char* what) {
    return {Errc::Invalid, std::string("the form could not be read: ") + what};
}

}  // namespace

void wipe(Buffer& bytes) {
    ::explicit_bzero(bytes.data(), bytes.size());
    bytes.clear();
}

void wipe(std::string& text) {
    ::explicit_bzero(text.data(), text.size());
    text.clear();
}

Form::~Form() {
    for (auto& [name, value] : fields_) wipe(value);
}

Result<Form> Form::take(Buffer& body) {
    struct Wipe {
        Buffer& bytes;
        ~Wipe() { wipe(bytes); }
    } const wiped{body};
    if (body.size() > form_bytes_max) return not_understood("too long");
    Form form;
    form.fields_.reserve(form_fields_max);
    std::string_view rest = as_text(body);
    while (!rest.empty()) {
        std::string_view value = next_part(rest, '&');
        const std::string_view name = next_part(value, '=');
        auto decoded_name = decode(name);
        auto decoded = decode(value);
        if (!decoded_name || !decoded) return not_understood("a broken escape");
        if (form.fields_.size() == form_fields_max) return not_understood("too many fields");
        const auto same = [&](const auto& field) { return field.first == *decoded_name; };
        if (std::any_of(form.fields_.begin(), form.fields_.end(), same)) {
            return not_understood("one field twice");
        }
        form.fields_.emplace_back(std::move(*decoded_name), std::move(*decoded));
    }
    return form;
}

const std::string& Form::value(std::string_view name) const {
    static const std::string none;
    for (const auto& [field, value] : fields_) {
        if (field == name) return value;
    }
    return none;
}

std::string cookie_value(std::string_view header, std::string_view name) {
    if (header.size() > cookie_bytes_max) return {};
    std::optional<std::string_view> found;
    while (!header.empty()) {
        std::string_view value = next_part(header, ';');
        value.remove_prefix(std::min(value.find_first_not_of(' '), value.size()));
        if (next_part(value, '=') != name) continue;
        if (found) return {};
        found = value;
    }
    return std::string(found.value_or(std::string_view()));
}

}  // namespace holdfast::console
