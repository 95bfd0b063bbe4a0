#include "images/demo/epr/ack_log.h"

#include "vault/base/units.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <optional>

namespace holdfast::demo {
namespace {

constexpr std::uint64_t log_bytes_max = 1_GiB;
constexpr unsigned sync_every = 200;
constexpr std::string_view head_seed = "# holdfast-demo-epr seed ";
constexpr std::string_view head_megabytes = " megabytes ";

/// Takes a number off the front of `text`.
template <class T>
std::optional<T> take_number(std::string_view& text) {
    T value{};
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc{}) return std::nullopt;
    text.remove_prefix(static_cast<std::size_t>(end - text.data()));
    return value;
}

bool take(std::string_view& text, std::string_view expected) {
    if (!text.starts_with(expected)) return false;
    text.remove_prefix(expected.size());
    return true;
}

bool parse_head(std::string_view line, AckHistory& out) {
    if (!take(line, head_seed)) return false;
    const auto seed = take_number<std::uint64_t>(line);
    if (!seed || !take(line, head_megabytes)) return false;
    const auto megabytes = take_number<std::uint64_t>(line);
    if (!megabytes || !line.empty()) return false;
    out.seed = *seed;
    out.megabytes = *megabytes;
    return true;
}

bool parse_ack(std::string_view line, AckHistory& out) {
    const auto k = take_number<std::uint64_t>(line);
    if (!k || *k == 0 || !take(line, " ")) return false;
    const auto wall_ms = take_number<std::int64_t>(line);
    if (!wall_ms || !line.empty()) return false;
    out.acks.push_back({*k, *wall_ms});
    return true;
}

}  // namespace

Result<AckHistory> read_acks(const std::string& path) {
    const Buffer content = HF_TRY(read_file(path, log_bytes_max));
    const std::string_view text = as_text(content);
    AckHistory history;
    std::size_t number = 1;
    for (std::size_t at = 0; at < text.size(); ++number) {
        const std::size_t end = text.find('\n', at);
        if (end == std::string_view::npos) break;
        const std::string_view line = text.substr(at, end - at);
        if (number == 1 ? !parse_head(line, history) : !parse_ack(line, history)) {
            return Error{Errc::Invalid, path + ", line " + std::to_string(number) +
                                            ": this is not a line of a writer's log"};
        }
        at = end + 1;
        history.bytes = at;
    }
    return history;
}

std::vector<Ack> acks_beyond(const AckHistory& history, std::uint64_t n) {
    std::vector<Ack> beyond;
    std::uint64_t before = 0;
    for (const Ack& ack : history.acks) {
        if (ack.k <= before && ack.k == n + 1) break;
        if (ack.k <= before) beyond.clear();  // Those were taken back by another return.
        if (ack.k > n) beyond.push_back(ack);
        before = ack.k;
    }
    return beyond;
}

Result<AckLog> AckLog::open(const std::string& path, std::uint64_t seed, std::uint64_t megabytes) {
    AckLog log(HF_TRY(open_file(path, O_WRONLY | O_CREAT | O_APPEND, 0640)), path);
    const AckHistory history = HF_TRY(read_acks(path));
    if (::ftruncate(log.fd_.get(), static_cast<off_t>(history.bytes)) != 0) {
        return io_error(errno, "cut the torn last line of " + path);
    }
    if (history.bytes == 0) {
        const std::string head = std::string(head_seed) + std::to_string(seed) +
                                 std::string(head_megabytes) + std::to_string(megabytes) + "\n";
        HF_TRY(write_all(log.fd_, as_view(head), path));
    } else if (history.seed != seed || history.megabytes != megabytes) {
        return Error{Errc::Invalid, path + " is the log of another data set (seed " +
                                        std::to_string(history.seed) + "): give another file"};
    }
    HF_TRY(log.sync());
    return log;
}

Result<void> AckLog::append(Ack ack) {
    const std::string line = std::to_string(ack.k) + " " + std::to_string(ack.wall_ms) + "\n";
    HF_TRY(write_all(fd_, as_view(line), path_));
    if (++unsynced_ < sync_every) return {};
    return sync();
}

Result<void> AckLog::sync() {
    unsynced_ = 0;
    return sync_file(fd_, path_);
}

}  // namespace holdfast::demo
