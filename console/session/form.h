// Form: what a browser posts (application/x-www-form-urlencoded), and its cookies.
//
//     form   := field *( "&" field )        field := name "=" value, each with "+" for a space and
//                                           "%" and two hexadecimal digits for any byte
//     cookie := name "=" value *( "; " name "=" value )
//
// The values of a form are wiped when it goes: one of them is a passphrase.
#pragma once

#include "vault/base/bytes.h"
#include "vault/base/result.h"

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace holdfast::console {

constexpr std::size_t form_bytes_max = 8'192;
constexpr std::size_t form_fields_max = 16;
constexpr std::size_t cookie_bytes_max = 4'096;

void wipe(Buffer& bytes);
void wipe(std::string& text);

class Form {
public:
    /// Wipes `body`, whatever comes of it. Errors: Invalid (over a limit, a broken escape, a NUL,
    /// or one name twice); never with a piece of the body.
    static Result<Form> take(Buffer& body);

    Form(Form&&) noexcept = default;
    Form& operator=(Form&&) = delete;
    ~Form();

    /// Empty if it is not there.
    const std::string& value(std::string_view name) const;
    std::size_t size() const { return fields_.size(); }

private:
    Form() = default;

    std::vector<std::pair<std::string, std::string>> fields_;
};

/// The value of the cookie `name` in a Cookie header; empty if it is not there, or is there twice.
std::string cookie_value(std::string_view header, std::string_view name);

}  // namespace holdfast::console
