#include "vault/keys/secret_json.h"

#include "vault/crypto/base64.h"

#include <algorithm>
#include <optional>

namespace holdfast::vault {
namespace {

class Scanner {
public:
    explicit Scanner(View text) : rest_(as_text(text)) {}

    /// Skips white space, then takes `c` if it is next.
    bool take(char c) {
        skip_space();
        if (rest_.empty() || rest_.front() != c) return false;
        rest_.remove_prefix(1);
        return true;
    }

    /// A text without escapes; base64 and our names need none.
    std::optional<std::string_view> text() {
        if (!take('"')) return std::nullopt;
        const std::size_t end = rest_.find_first_of("\"\\");
        if (end == std::string_view::npos || rest_[end] == '\\') return std::nullopt;
        const std::string_view found = rest_.substr(0, end);
        rest_.remove_prefix(end + 1);
        return found;
    }

    bool done() {
        skip_space();
        return rest_.empty();
    }

private:
    void skip_space() {
        rest_.remove_prefix(std::min(rest_.find_first_not_of(" \t\n\r"), rest_.size()));
    }

    std::string_view rest_;
};

// The text of field `name`; nothing if it is missing or the object is not as it should be.
std::optional<std::string_view> find_text(View json, std::string_view name) {
    Scanner in(json);
    std::optional<std::string_view> found;
    if (!in.take('{')) return std::nullopt;
    do {
        const auto key = in.text();
        if (!key || !in.take(':')) return std::nullopt;
        const auto value = in.text();
        if (!value) return std::nullopt;
        if (*key == name) found = value;
    } while (in.take(','));
    if (!in.take('}') || !in.done()) return std::nullopt;
    return found;
}

class SecretWriter {
public:
    explicit SecretWriter(Secret& out) : at_(out.data()) {}
    void add(View bytes) { at_ = std::copy(bytes.begin(), bytes.end(), at_); }
    void add(std::string_view text) { add(as_view(text)); }

private:
    std::uint8_t* at_;
};

}  // namespace

Secret secret_json(const std::vector<std::pair<std::string_view, View>>& fields) {
    std::vector<Secret> texts;
    std::size_t size = 1 + fields.size();  // A brace, and a comma or brace behind each.
    for (const auto& [name, bytes] : fields) {
        texts.push_back(secret_to_base64(bytes));
        size += name.size() + texts.back().size() + 5;  // Four quotes and a colon.
    }
    Secret out(size);
    SecretWriter writer(out);
    for (std::size_t i = 0; i < fields.size(); ++i) {
        writer.add(i == 0 ? "{\"" : ",\"");
        writer.add(fields[i].first);
        writer.add("\":\"");
        writer.add(texts[i].view());
        writer.add("\"");
    }
    writer.add("}");
    return out;
}

Result<Secret> secret_field(const Secret& json, std::string_view name, std::size_t size) {
    const std::optional<std::string_view> text = find_text(json.view(), name);
    if (text) {
        Result<Secret> bytes = secret_from_base64(as_view(*text));
        if (bytes && bytes->size() == size) return bytes;
    }
    return Error{Errc::Corrupt, "the locked part has no usable " + std::string(name)};
}

}  // namespace holdfast::vault
