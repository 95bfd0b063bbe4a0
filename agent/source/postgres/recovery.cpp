#include "agent/source/postgres/recovery.h"

#include "vault/base/file.h"

#include <sys/stat.h>
#include <unistd.h>

#include <ctime>

namespace holdfast::agent::postgres {
namespace {

constexpr std::size_t settings_bytes_max = 1 << 20;
constexpr std::string_view mark = "# holdfast: the log that was streamed after the copy\n";

Result<void> write_as_owner(const std::string& data_dir, const std::string& name,
                            std::string_view text) {
    struct stat folder {};
    if (::stat(data_dir.c_str(), &folder) != 0) return io_error(errno, "look at " + data_dir);
    const std::string path = data_dir + "/" + name;
    HF_TRY(write_file_durably(path, as_view(text), 0600));
    if (::chown(path.c_str(), folder.st_uid, folder.st_gid) != 0) {
        return io_error(errno, "give " + path + " to the server's user");
    }
    return {};
}

}  // namespace

Result<std::string> restore_command(const std::string& folder) {
    if (folder.find_first_of("\"$`\\'\n") != std::string::npos) {
        return Error{Errc::Invalid, folder +
                                        ": a path without quotes, $, ` and \\ is needed for "
                                        "restore_command; restore to another folder"};
    }
    std::string escaped;
    for (const char c : folder) escaped += c == '%' ? std::string("%%") : std::string(1, c);
    return "cp \"" + escaped + "/%f\" \"%p\"";
}

std::string recovery_time(std::int64_t time_ms) {
    const std::time_t seconds = static_cast<std::time_t>(time_ms / 1000);
    std::tm parts{};
    ::gmtime_r(&seconds, &parts);
    char text[64];
    const std::size_t size = std::strftime(text, sizeof text, "%Y-%m-%d %H:%M:%S", &parts);
    std::string millis = std::to_string(time_ms % 1000);
    millis.insert(0, 3 - millis.size(), '0');
    return std::string(text, size) + "." + millis + "+00";
}

Result<void> set_up_recovery(const std::string& data_dir, const std::string& folder,
                             const std::optional<std::int64_t>& until_ms) {
    if (!path_exists(data_dir + "/PG_VERSION")) {
        return Error{Errc::Invalid, data_dir + " is no PostgreSQL data folder"};
    }
    std::string text;
    if (path_exists(data_dir + "/postgresql.auto.conf")) {
        const Buffer there =
            HF_TRY(read_file(data_dir + "/postgresql.auto.conf", settings_bytes_max));
        text = as_text(there);
    }
    if (const std::size_t ours = text.find(mark); ours != std::string::npos) text.resize(ours);
    if (!text.empty() && text.back() != '\n') text += '\n';
    text += mark;
    text += "restore_command = '" + HF_TRY(restore_command(folder)) + "'\n";
    text += "recovery_target_timeline = 'current'\n";
    if (until_ms) {
        text += "recovery_target_time = '" + recovery_time(*until_ms) + "'\n";
        text += "recovery_target_action = 'promote'\n";
    }
    HF_TRY(write_as_owner(data_dir, "postgresql.auto.conf", text));
    return write_as_owner(data_dir, "recovery.signal", "");
}

}  // namespace holdfast::agent::postgres
