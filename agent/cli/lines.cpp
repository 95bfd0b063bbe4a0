#include "agent/cli/lines.h"

#include "vault/base/units.h"

#include <unistd.h>

#include <cerrno>

namespace holdfast::agent::cli {
namespace {

constexpr std::size_t waiting_bytes = 64_KiB;

Result<void> write_out(View data) {
    while (!data.empty()) {
        const ssize_t put = ::write(STDOUT_FILENO, data.data(), data.size());
        if (put < 0 && errno == EINTR) continue;
        if (put < 0) return answer_lost(errno);
        data = data.subspan(static_cast<std::size_t>(put));
    }
    return {};
}

}  // namespace

Result<void> Lines::add_line(std::string_view text) {
    static const bool terminal = ::isatty(STDOUT_FILENO) == 1;
    return put((terminal ? printable(text) : std::string(text)) + "\n");
}

Result<void> Lines::add(const Json& element) {
    const std::string text = (first_ ? "[" : ",\n ") + json_text(element);
    first_ = false;
    return put(text);
}

Result<void> Lines::add_raw(View bytes) {
    HF_TRY(flush());
    return write_out(bytes);
}

Result<void> Lines::close() {
    if (json_) HF_TRY(put(first_ ? "[]\n" : "]\n"));
    return flush();
}

Result<void> Lines::put(std::string_view text) {
    waiting_ += text;
    return waiting_.size() < waiting_bytes ? Result<void>() : flush();
}

Result<void> Lines::flush() {
    const std::string text = std::move(waiting_);
    waiting_.clear();
    return write_out(as_view(text));
}

}  // namespace holdfast::agent::cli
