#include "agent/people/sign_in_request.h"

#include <string.h>  // explicit_bzero

#include <optional>

namespace holdfast::agent {
namespace {

Error not_understood(const char* what) {
    return {Errc::Invalid, std::string("a sign-in: ") + what +
                               "; expected {\"name\": TEXT, \"passphrase\": TEXT}"};
}

class Wipe {
public:
    explicit Wipe(Buffer& body) : body_(&body) {}
    Wipe(const Wipe&) = delete;
    Wipe& operator=(const Wipe&) = delete;
    ~Wipe() {
        ::explicit_bzero(body_->data(), body_->size());
        body_->clear();
    }

private:
    Buffer* body_;
};

/// Reads one flat object; every text goes to memory of the caller's.
class Reader {
public:
    explicit Reader(View in) : in_(in) {}

    bool take(char c) {
        while (at_ < in_.size() && std::string_view(" \t\r\n").find(here()) != std::string::npos) {
            ++at_;
        }
        if (at_ == in_.size() || here() != c) return false;
        ++at_;
        return true;
    }
    bool done() {
        (void)take('\0');  // Skips what may follow; a NUL itself would not be at the end.
        return at_ == in_.size();
    }

    /// The text that is next, unescaped, as UTF-8. How long it is; none: no text, or over the room.
    std::optional<std::size_t> text(std::uint8_t* out, std::size_t room) {
        out_ = out;
        room_ = room;
        used_ = 0;
        if (!take('"')) return std::nullopt;
        while (at_ < in_.size()) {
            const std::uint8_t c = in_[at_++];
            if (c == '"') return used_;
            if (c < 0x20) return std::nullopt;
            if (c == '\\' ? !escape() : !put(c)) return std::nullopt;
        }
        return std::nullopt;
    }

private:
    char here() const { return static_cast<char>(in_[at_]); }

    bool put(std::uint32_t byte) {
        if (used_ == room_) return false;
        out_[used_++] = static_cast<std::uint8_t>(byte);
        return true;
    }

    bool escape() {
        if (at_ == in_.size()) return false;
        const char c = static_cast<char>(in_[at_++]);
        if (c == 'u') return code_point();
        constexpr std::string_view from = "\"\\/bfnrt";
        constexpr std::string_view to = "\"\\/\b\f\n\r\t";
        const std::size_t which = from.find(c);
        return which != std::string_view::npos && put(static_cast<std::uint8_t>(to[which]));
    }

    std::optional<std::uint32_t> four_digits() {
        std::uint32_t value = 0;
        for (int i = 0; i < 4; ++i) {
            if (at_ == in_.size()) return std::nullopt;
            constexpr std::string_view digits = "0123456789abcdef";
            const char c = static_cast<char>(in_[at_++]);
            const std::size_t digit =
                digits.find(c >= 'A' && c <= 'F' ? static_cast<char>(c + 32) : c);
            if (digit == std::string_view::npos) return std::nullopt;
            value = value * 16 + static_cast<std::uint32_t>(digit);
        }
        return value;
    }

    bool code_point() {
        auto value = four_digits();
        if (!value || (*value >= 0xdc00 && *value < 0xe000)) return false;
        if (*value >= 0xd800 && *value < 0xdc00) {
            if (!take('\\') || !take('u')) return false;
            const auto low = four_digits();
            if (!low || *low < 0xdc00 || *low >= 0xe000) return false;
            value = 0x10000 + ((*value - 0xd800) << 10) + (*low - 0xdc00);
        }
        return utf8(*value);
    }

    bool utf8(std::uint32_t v) {
        if (v < 0x80) return put(v);
        if (v < 0x800) return put(0xc0 | v >> 6) && put(0x80 | (v & 0x3f));
        if (v < 0x10000) {
            return put(0xe0 | v >> 12) && put(0x80 | (v >> 6 & 0x3f)) && put(0x80 | (v & 0x3f));
        }
        return put(0xf0 | v >> 18) && put(0x80 | (v >> 12 & 0x3f)) && put(0x80 | (v >> 6 & 0x3f)) &&
               put(0x80 | (v & 0x3f));
    }

    View in_;
    std::size_t at_ = 0;
    std::uint8_t* out_ = nullptr;
    std::size_t room_ = 0;
    std::size_t used_ = 0;
};

Result<void> read_field(Reader& in, SignInRequest& out) {
    std::array<std::uint8_t, 16> key{};
    const auto key_size = in.text(key.data(), key.size());
    if (!key_size || !in.take(':')) return not_understood("no field where one should be");
    const std::string_view name = as_text(View(key).first(*key_size));
    vault::Secret text(sign_in_passphrase_bytes_max);
    const auto size = in.text(text.data(), text.size());
    if (!size) return not_understood("a field is no text, or too long");
    if (name == "name" && *size <= sign_in_name_bytes_max) {
        out.name = std::string(as_text(text.view().first(*size)));
    } else if (name == "passphrase") {
        out.passphrase = vault::Secret::copy_of(text.view().first(*size));
    } else {
        return not_understood("an unknown field, or a name over 256 bytes");
    }
    return {};
}

}  // namespace

Result<SignInRequest> take_sign_in_request(Buffer& body) {
    const Wipe wipe(body);
    if (body.size() > sign_in_body_bytes_max) return not_understood("too long");
    Reader in(body);
    SignInRequest out;
    if (!in.take('{')) return not_understood("no object");
    do {
        HF_TRY(read_field(in, out));
    } while (in.take(','));
    if (!in.take('}') || !in.done()) return not_understood("something behind the fields");
    if (out.name.empty() || out.passphrase.empty()) return not_understood("a field is missing");
    return out;
}

}  // namespace holdfast::agent
