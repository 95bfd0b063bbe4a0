#include "agent/config/home.h"

#include "agent/config/name.h"

#include <filesystem>
#include <system_error>

namespace holdfast::agent {
namespace {

Home split(const std::string& settings, const std::string& data, const std::string& run) {
    Home home;
    home.node = settings + "/node.toml";
    home.systems = settings + "/systems";
    home.runtimes = settings + "/runtimes";
    home.keys = data + "/keys";
    home.state = data + "/state";
    home.vault = data + "/vault";
    home.tenants = data + "/tenants";
    home.people = data + "/people";
    home.mounts = data + "/mounts";
    home.kit = data + "/kit";
    home.run = run;
    return home;
}

std::string file_in(const std::string& folder, std::string_view name) {
    return folder + "/" + std::string(name) + ".toml";
}

}  // namespace

Home Home::at(const std::string& folder) {
    std::error_code failed;
    std::filesystem::path path = std::filesystem::absolute(folder, failed);
    // Fails only if the working folder is gone; then the relative path is all that there is.
    if (failed) path = folder;
    std::string root = path.lexically_normal().string();
    while (root.size() > 1 && root.back() == '/') root.pop_back();
    if (root == "/") root.clear();
    return split(root, root, root + "/run");
}

Home Home::standard() {
    return split("/etc/holdfast", "/var/lib/holdfast", "/run/holdfast");
}

Result<std::string> Home::system_file(std::string_view name) const {
    HF_TRY(check_name(name, "a system"));
    return file_in(systems, name);
}

Result<std::string> Home::runtime_file(std::string_view name) const {
    HF_TRY(check_name(name, "a runtime"));
    return file_in(runtimes, name);
}

}  // namespace holdfast::agent
