#include "agent/source/postgres/prepare.h"

#include "agent/source/postgres/layout.h"
#include "agent/source/postgres/recovery.h"
#include "vault/base/file.h"

#include <dirent.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <memory>
#include <optional>

namespace holdfast::agent::postgres {

namespace {

constexpr int major_min = 13;
constexpr int major_max = 17;
constexpr std::string_view own_config_name = "holdfast.conf";
constexpr std::string_view own_rules_name = "holdfast_hba.conf";
constexpr std::string_view own_config = "# Settings are given as arguments.\n";
constexpr std::string_view own_rules = "local all all trust\n";  // The socket is for one user only.

// Of the server that was copied, or of a role that this copy must not play.
constexpr const char* stale_files[] = {"postmaster.pid", "postmaster.opts", "recovery.signal",
                                       "standby.signal", "tablespace_map"};

Result<int> major_version(const std::string& data_dir) {
    const auto text = read_file(data_dir + "/PG_VERSION", 64);
    if (!text) {
        return Error{Errc::Invalid,
                     data_dir + " is no PostgreSQL data folder: " + text.error().message};
    }
    const std::string_view digits = as_text(*text);
    int major = 0;
    std::from_chars(digits.data(), digits.data() + digits.size(), major);
    if (major < major_min || major > major_max) {
        return Error{Errc::Invalid, data_dir + ": expected PostgreSQL 13 to 17, PG_VERSION says " +
                                        std::to_string(major)};
    }
    return major;
}

Result<void> remove_file(const std::string& path) {
    if (::unlink(path.c_str()) != 0 && errno != ENOENT) return io_error(errno, "remove " + path);
    return {};
}

Result<struct stat> stat_of(const std::string& path) {
    struct stat about {};
    if (::stat(path.c_str(), &about) != 0) return io_error(errno, "look at " + path);
    return about;
}

Result<void> set_mode(const std::string& path, mode_t mode) {
    if (::chmod(path.c_str(), mode) != 0) return io_error(errno, "set the mode of " + path);
    return {};
}

/// Gives `path` to the owner of the data folder: the server must read it, and root wrote it.
Result<void> give_to_owner(const std::string& path, const struct stat& folder) {
    if (::chown(path.c_str(), folder.st_uid, folder.st_gid) != 0) {
        return io_error(errno, "give " + path + " to the server's user");
    }
    return {};
}

Result<void> write_own(const std::string& data_dir, std::string_view name, std::string_view text) {
    const std::string path = data_dir + "/" + std::string(name);
    HF_TRY(write_file_durably(path, as_view(text)));
    const struct stat folder = HF_TRY(stat_of(data_dir));
    return give_to_owner(path, folder);
}

/// True if a tablespace lies as a folder in pg_tblspc/, as in our copies.
Result<bool> has_tablespaces(const std::string& data_dir) {
    const std::string path = data_dir + "/pg_tblspc";
    const std::unique_ptr<DIR, int (*)(DIR*)> folder(::opendir(path.c_str()), ::closedir);
    if (!folder) return io_error(errno, "read " + path);
    while (const dirent* entry = ::readdir(folder.get())) {
        if (is_oid(entry->d_name)) return true;
    }
    return false;
}

Result<std::string> socket_folder(const std::string& data_dir, const StartSettings& settings) {
    const std::string path = settings.socket_dir.empty() ? data_dir + "/run" : settings.socket_dir;
    const std::string socket = path + "/.s.PGSQL." + std::to_string(settings.port);
    if (socket.size() > socket_path_bytes_max) {
        return Error{Errc::Invalid, "the socket's path " + socket + " is over " +
                                        std::to_string(socket_path_bytes_max) +
                                        " bytes; name a shorter socket folder"};
    }
    if (settings.socket_dir.empty()) {
        const struct stat folder = HF_TRY(stat_of(data_dir));
        HF_TRY(make_folders(path));
        HF_TRY(give_to_owner(path, folder));
    }
    return path;
}

class Arguments {
public:
    explicit Arguments(const std::string& data_dir) : list_{"-D", data_dir} {}

    void set(const std::string& name, const std::string& value) {
        list_.push_back("-c");
        list_.push_back(name + "=" + value);
    }
    std::vector<std::string> take() { return std::move(list_); }

private:
    std::vector<std::string> list_;
};

/// Nothing reaches out: no archive, no primary, no subscriptions, no foreign paths.
void seal(Arguments& arguments, int major) {
    arguments.set("archive_mode", "off");
    arguments.set("archive_command", "");
    if (major >= 15) arguments.set("archive_library", "");
    for (const char* name :
         {"restore_command", "archive_cleanup_command", "recovery_end_command", "primary_conninfo",
          "primary_slot_name", "synchronous_standby_names", "external_pid_file",
          "local_preload_libraries", "session_preload_libraries"}) {
        arguments.set(name, "");
    }
    if (major >= 17) arguments.set("sync_replication_slots", "off");
    arguments.set("max_logical_replication_workers", "0");
    arguments.set("ssl", "off");  // Its key may lie outside the folder.
    arguments.set("logging_collector", "off");
    arguments.set("log_destination", "stderr");
    arguments.set("bonjour", "off");
}

/// A restart must not begin a rule of the source's again either: only known names are taken.
Result<void> keep_source_settings(Arguments& arguments, const StartSettings& settings) {
    for (const auto& [name, value] : settings.source_settings) {
        const bool plain = !name.empty() && name.find_first_not_of("abcdefghijklmnopqrstuvwxyz_") ==
                                                std::string::npos;
        const bool number =
            !value.empty() && value.find_first_not_of("0123456789") == std::string::npos;
        if (!plain || !number) {
            return Error{Errc::Invalid, "source setting \"" + name + "\": expected a number"};
        }
        arguments.set(name, value);
    }
    return {};
}

Result<void> choose_files(Arguments& arguments, const std::string& data_dir,
                          const StartSettings& settings) {
    const auto choose = [&](const char* setting, const std::string& theirs, std::string_view ours,
                            std::string_view text) -> Result<void> {
        const bool own = settings.own_settings || !path_exists(data_dir + "/" + theirs);
        if (own) HF_TRY(write_own(data_dir, ours, text));
        arguments.set(setting, data_dir + "/" + (own ? std::string(ours) : theirs));
        return {};
    };
    HF_TRY(choose("config_file", "postgresql.conf", own_config_name, own_config));
    HF_TRY(choose("hba_file", "pg_hba.conf", own_rules_name, own_rules));
    // A file that is not there means no map.
    arguments.set("ident_file", data_dir + "/pg_ident.conf");
    return {};
}

}  // namespace

Result<std::vector<std::string>> prepare_restored_cluster(const std::string& data_dir,
                                                          const StartSettings& settings) {
    if (!data_dir.starts_with('/')) {
        return Error{Errc::Invalid, data_dir + ": expected an absolute path"};
    }
    if (settings.port == 0) return Error{Errc::Invalid, "port: expected 1 to 65535"};
    const int major = HF_TRY(major_version(data_dir));
    HF_TRY(set_mode(data_dir, 0700));
    for (const char* name : stale_files) HF_TRY(remove_file(data_dir + "/" + name));

    Arguments arguments(data_dir);
    HF_TRY(choose_files(arguments, data_dir, settings));
    arguments.set("data_directory", data_dir);
    arguments.set("port", std::to_string(settings.port));
    arguments.set("listen_addresses", settings.listen_addresses);
    const std::string sockets = HF_TRY(socket_folder(data_dir, settings));
    arguments.set("unix_socket_directories", sockets);
    arguments.set("unix_socket_permissions", "0700");
    seal(arguments, major);
    arguments.set("shared_preload_libraries", settings.preload_libraries);
    arguments.set("shared_buffers", settings.shared_buffers);
    arguments.set("huge_pages", "off");
    HF_TRY(keep_source_settings(arguments, settings));
    const bool standby = settings.as == StartAs::ReadOnly;
    arguments.set("hot_standby", standby ? "on" : "off");
    if (standby) HF_TRY(write_own(data_dir, "standby.signal", ""));
    if (!settings.log_folder.empty()) {
        arguments.set("restore_command", HF_TRY(restore_command(settings.log_folder)));
        arguments.set("recovery_target_timeline", "current");
        if (!standby) HF_TRY(write_own(data_dir, "recovery.signal", ""));
    }
    const bool tablespaces = HF_TRY(has_tablespaces(data_dir));
    if (tablespaces) arguments.set("allow_in_place_tablespaces", "on");
    return arguments.take();
}

}  // namespace holdfast::agent::postgres
