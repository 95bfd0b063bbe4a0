#include "agent/config/systems.h"

#include "agent/config/settings_files.h"
#include "agent/config/wording.h"
#include "vault/base/file.h"

#include <unistd.h>

#include <cerrno>
#include <filesystem>

namespace holdfast::agent {
namespace {

using config::in_quotes;
using config::toml_text;

Result<void> write_system(const Home& home, const std::string& path, const std::string& text) {
    HF_TRY(make_folders(home.systems, 0755));
    return write_file_durably(path, as_view(text), 0644);
}

/// `folder` as it would stand in a file: one way to write each path.
Result<std::string> normal_folder(const std::string& folder) {
    if (folder.empty() || folder[0] != '/') {
        return Error{Errc::Invalid, "the folder " + in_quotes(folder) + " is no absolute path"};
    }
    std::string normal = std::filesystem::path(folder).lexically_normal().string();
    while (normal.size() > 1 && normal.back() == '/') normal.pop_back();
    std::error_code failed;
    const bool is_folder = std::filesystem::is_directory(normal, failed);
    if (is_folder) return normal;
    return Error{Errc::Invalid,
                 normal + " is no folder" + (failed ? ": " + failed.message() : std::string())};
}

bool has_only_folder(const SystemSettings& settings, const std::string& folder) {
    if (settings.sources.size() != 1) return false;
    const auto* const files = std::get_if<FilesSourceSettings>(&settings.sources[0].of);
    return files != nullptr && files->path == folder;
}

std::string render_folder_system(const std::string& name, const std::string& folder) {
    return "# Written by holdfast snapshot --path; add what it is for, and who to call.\n"
           "name = " +
           toml_text(name) + "\ntitle = " + toml_text(name) +
           "\n\n[[source]]\nkind = \"files\"\npath = " + toml_text(folder) + "\n";
}

}  // namespace

Result<SystemSettings> install_system(const Home& home, const std::string& source_file,
                                      Replace replace) {
    SystemSettings settings = HF_TRY(
        parse_system(HF_TRY(config::read_text(source_file, system_file_bytes_max)), source_file));
    const std::string path = HF_TRY(home.system_file(settings.name));
    if (replace == Replace::No && path_exists(path)) {
        return Error{Errc::Conflict, "the system " + in_quotes(settings.name) +
                                         " is there already, in " + path +
                                         "; replace it only if you mean to"};
    }
    HF_TRY(write_system(home, path, settings.text));
    return settings;
}

Result<std::vector<std::string>> list_systems(const Home& home) {
    return config::names_in(home.systems, systems_max);
}

Result<SystemSettings> load_system(const Home& home, const std::string& name) {
    const std::string path = HF_TRY(home.system_file(name));
    auto text = config::read_text(path, system_file_bytes_max);
    if (!text && text.error().code == Errc::NotFound) {
        return Error{Errc::NotFound,
                     "no system " + in_quotes(name) + " on this node; " + path + " would hold it"};
    }
    SystemSettings settings = HF_TRY(parse_system(HF_TRY(std::move(text)), path));
    HF_TRY(config::check_stated_name(settings.name, name, path));
    return settings;
}

Result<void> remove_system(const Home& home, const std::string& name) {
    const std::string path = HF_TRY(home.system_file(name));
    if (::unlink(path.c_str()) != 0) return io_error(errno, "remove " + path);
    return sync_folder(home.systems);
}

Result<SystemSettings> write_system_for_path(const Home& home, const std::string& name,
                                             const std::string& folder) {
    const std::string path = HF_TRY(home.system_file(name));
    const std::string normal = HF_TRY(normal_folder(folder));
    auto there = load_system(home, name);
    if (there && has_only_folder(*there, normal)) return there;
    if (there) {
        return Error{Errc::Conflict, "the system " + in_quotes(name) +
                                         " is there with other sources, in " + path +
                                         "; choose another name, or leave out the folder"};
    }
    if (there.error().code != Errc::NotFound) return there;
    SystemSettings settings = HF_TRY(parse_system(render_folder_system(name, normal), path));
    HF_TRY(write_system(home, path, settings.text));
    return settings;
}

}  // namespace holdfast::agent
