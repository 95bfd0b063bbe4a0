#include "vault/base/glob.h"

#include <algorithm>

namespace holdfast {
namespace {

Error wrong(const char* what) {
    return {Errc::Invalid, what};
}

}  // namespace

Result<Glob> Glob::parse(std::string_view pattern) {
    if (pattern.size() > glob_bytes_max) return wrong("longer than 4096 bytes");
    Glob glob;
    if (pattern.ends_with('/')) {
        glob.folders_only_ = true;
        pattern.remove_suffix(1);
    }
    glob.names_only_ = pattern.find('/') == std::string_view::npos;
    if (pattern.starts_with('/')) pattern.remove_prefix(1);
    if (pattern.empty()) return wrong("it is empty");
    HF_TRY(glob.parse_tokens(pattern));
    for (const Token& token : glob.tokens_) {
        if (token.kind != Kind::Byte) {
            glob.literal_.clear();
            break;
        }
        glob.literal_ += token.byte;
    }
    return glob;
}

Result<void> Glob::parse_tokens(std::string_view pattern) {
    for (std::size_t at = 0; at < pattern.size();) {
        const std::string_view rest = pattern.substr(at);
        const bool name_starts = at == 0 || pattern[at - 1] == '/';
        if (rest.starts_with("**/") && name_starts) {
            tokens_.push_back({Kind::DeepFolders});
            at += 3;
        } else if (rest.starts_with("**")) {
            tokens_.push_back({Kind::Deep});
            at += 2;
        } else if (rest[0] == '*') {
            tokens_.push_back({Kind::Star});
            ++at;
        } else if (rest[0] == '?') {
            tokens_.push_back({Kind::AnyByte});
            ++at;
        } else if (rest[0] == '[') {
            at = HF_TRY(parse_set(pattern, at + 1));
        } else {
            if (rest[0] == '\\' && ++at == pattern.size()) return wrong("it ends in '\\'");
            tokens_.push_back({Kind::Byte, pattern[at]});
            ++at;
        }
    }
    return {};
}

/// Reads a set whose '[' is just before `at`; answers where the pattern goes on.
Result<std::size_t> Glob::parse_set(std::string_view pattern, std::size_t at) {
    const auto byte_at = [&](std::size_t i) { return static_cast<unsigned char>(pattern[i]); };
    const bool negated = at < pattern.size() && (pattern[at] == '!' || pattern[at] == '^');
    if (negated) ++at;
    std::bitset<256> set;
    for (bool first = true;; first = false) {
        if (at >= pattern.size()) return wrong("a '[' without its ']'");
        if (pattern[at] == ']' && !first) break;
        if (pattern[at] == '\\' && ++at == pattern.size()) return wrong("it ends in '\\'");
        const unsigned low = byte_at(at++);
        unsigned high = low;
        if (at + 1 < pattern.size() && pattern[at] == '-' && pattern[at + 1] != ']') {
            high = byte_at(at + 1);
            at += 2;
        }
        for (unsigned byte = low; byte <= high; ++byte) set.set(byte);
    }
    if (negated) set.flip();
    set.reset('/');
    tokens_.push_back({Kind::Set, 0, sets_.size()});
    sets_.push_back(set);
    return at + 1;
}

bool Glob::accepts(const Token& token, char byte) const {
    if (token.kind == Kind::Byte) return byte == token.byte;
    if (token.kind == Kind::AnyByte) return byte != '/';
    return token.kind == Kind::Set && sets_[token.set].test(static_cast<unsigned char>(byte));
}

bool Glob::matches(std::string_view path, bool is_folder) const {
    if (folders_only_ && !is_folder) return false;
    if (names_only_) path.remove_prefix(path.rfind('/') + 1);  // npos + 1 is 0.
    return literal_.empty() ? matches_tokens(path) : path == literal_;
}

/// Only the last star and the last double star need to be tried again: what stands before either
/// matched as early as it can, and a later start leaves the rest less to match. So the cost is the
/// product of the lengths, where a naive recursion is exponential.
bool Glob::matches_tokens(std::string_view text) const {
    struct Retry {
        bool set = false;
        bool folders = false;
        std::size_t token = 0;
        std::size_t at = 0;
    } star, deep;
    const auto again = [&]() {
        if (star.set && star.at < text.size() && text[star.at] != '/') return ++star.at, true;
        star.set = false;
        if (!deep.set || deep.at >= text.size()) return false;
        const std::size_t slash = text.find('/', deep.at);
        if (deep.folders && slash == std::string_view::npos) return false;
        deep.at = deep.folders ? slash + 1 : deep.at + 1;
        return true;
    };
    std::size_t token = 0;
    std::size_t at = 0;
    for (;;) {
        if (token == tokens_.size() && at == text.size()) return true;
        const Kind kind = token < tokens_.size() ? tokens_[token].kind : Kind::Byte;
        if (kind == Kind::Star) {
            star = {true, false, ++token, at};
        } else if (kind == Kind::Deep || kind == Kind::DeepFolders) {
            deep = {true, kind == Kind::DeepFolders, ++token, at};
            star.set = false;
        } else if (token < tokens_.size() && at < text.size() &&
                   accepts(tokens_[token], text[at])) {
            ++token;
            ++at;
        } else {
            if (!again()) return false;
            token = star.set ? star.token : deep.token;
            at = star.set ? star.at : deep.at;
        }
    }
}

Result<std::vector<Glob>> parse_globs(const std::vector<std::string>& patterns) {
    if (patterns.size() > globs_max) return Error{Errc::Invalid, "more than 1000 patterns"};
    std::vector<Glob> globs;
    for (const std::string& pattern : patterns) {
        globs.push_back(HF_TRY(Glob::parse(pattern).within("pattern \"" + pattern + "\"")));
    }
    return globs;
}

bool any_matches(const std::vector<Glob>& globs, std::string_view path, bool is_folder) {
    return std::any_of(globs.begin(), globs.end(),
                       [&](const Glob& glob) { return glob.matches(path, is_folder); });
}

}  // namespace holdfast
