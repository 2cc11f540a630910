"""An applied deployment, and what a change of its variables plans."""

import re
import shutil
from pathlib import Path

from tests.support.terraform.offline.existing import ExistingResources
from tests.support.terraform.runner import CALL, IMAGE, PROJECT, Terraform

LEAST = f'project = "{PROJECT}"\nviewer_image = "{IMAGE}"\n'
_SIGNS = {
    "will be created": "+",
    "will be destroyed": "-",
    "will be updated in-place": "~",
    "must be replaced": "-/+",
    # On request, or with the resource that replace_triggered_by names.
    "will be replaced": "-/+",
}
_PLANNED = re.compile(rf"^  # (\S+) ({'|'.join(_SIGNS)})", re.MULTILINE)


class Applied:
    """The state of a deployment, and the resources that exist."""

    def __init__(self, terraform: Terraform, state: Path, existing: ExistingResources) -> None:
        self._terraform = terraform
        self.state = state
        self.existing = existing

    def copy(self, state: Path) -> "Applied":
        """Return the same deployment, which changes separately."""
        shutil.copy(self.state, state)
        return Applied(self._terraform, state, self.existing.copy())

    def run(self, subcommand: str, variables: str, *options: str, programs: Path | None = None) -> str:
        """Run a subcommand with the variables in ``variables`` (the content of a tfvars file); return its output."""
        file = self.state.with_suffix(".tfvars")
        file.write_text(variables)
        common = ("-input=false", "-no-color", f"-state={self.state}", f"-var-file={file}")
        return self._terraform.run(subcommand, *common, *options, existing=self.existing, programs=programs).stdout

    def changes(self, variables: str, *options: str, programs: Path | None = None) -> set[str]:
        """Return what a plan changes: terraform's sign and the address in the module, without keys of instances."""
        shown = self.run("plan", variables, "-refresh=false", *options, programs=programs)
        return {
            f"{_SIGNS[what]} {address.removeprefix(CALL).partition('[')[0]}"
            for address, what in _PLANNED.findall(shown)
        }
