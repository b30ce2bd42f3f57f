"""The runner: real processes, in the order and under the rules that GitHub documents."""

from __future__ import annotations

import json
import os
import re
import select
import shlex
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from release.sandbox.forge import Sandbox
from tests.forge import serving
from tests.sandbox.forge.workshop import TIMEOUT, Workshop


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Workshop]:
    with serving(tmp_path / "forge") as forge:
        yield Workshop(forge, tmp_path)


def test_a_push_runs_its_workflow_with_the_documented_variables(shop: Workshop) -> None:
    run = shop.steps("env -0 | tr '\\n\\0' ' \\n' | sort; cat $GITHUB_EVENT_PATH; pwd; command -v python")
    log, commit = shop.log(), shop.git("rev-parse", "HEAD")
    assert (run["status"], run["conclusion"], run["event"], run["actor"]) == ("completed", "success", "push", "captain")
    assert (run["branch"], run["sha"], run["number"], run["title"]) == ("master", commit, 1, "Work")
    said = dict(line.split("=", 1) for line in log.splitlines() if re.match(r"[A-Z_]+=", line))
    assert {name: said[name] for name in EXPECTED} == EXPECTED
    assert said["GITHUB_SHA"] == commit
    assert said["GITHUB_API_URL"] == shop.forge.api_url
    assert said["GITHUB_RUN_ID"] == str(run["id"])
    assert said["HOME"].startswith(str(shop.folder))
    assert said["PATH"].startswith(os.path.dirname(sys.executable))
    assert '"after": "' + commit in log
    assert "GITHUB_TOKEN" not in said
    assert not set(said) & {"USER", "LOGNAME", "PYTEST_CURRENT_TEST", "VIRTUAL_ENV"}
    assert not any((shop.forge.folder / "work").glob("*"))


def test_what_the_machine_has_in_its_environment_a_job_has_too(shop: Workshop) -> None:
    shop.forge.machine |= {"PLACES": "one=http://127.0.0.1:1 two=http://127.0.0.1:2", "CI": "no"}
    shop.steps('echo "[$PLACES] [$CI]"')
    assert "[one=http://127.0.0.1:1 two=http://127.0.0.1:2] [true]" in shop.log()


def ended(pid: int) -> bool:
    """Whether a process is over, or will be within seconds."""
    try:
        number = os.pidfd_open(pid)
    except ProcessLookupError:
        return True
    try:
        return bool(select.select([number], [], [], 10)[0])
    finally:
        os.close(number)


EXPECTED = {
    "CI": "true",
    "GITHUB_ACTIONS": "true",
    "GITHUB_ACTOR": "captain",
    "GITHUB_EVENT_NAME": "push",
    "GITHUB_JOB": "work",
    "GITHUB_REF": "refs/heads/master",
    "GITHUB_REF_NAME": "master",
    "GITHUB_REF_TYPE": "branch",
    "GITHUB_REPOSITORY": "rancher/rke2",
    "GITHUB_RUN_ATTEMPT": "1",
    "GITHUB_RUN_NUMBER": "1",
    "GITHUB_WORKFLOW": ".github/workflows/work.yml",
}


def test_steps_pass_on_outputs_variables_paths_and_masks(shop: Workshop) -> None:
    shop.write(
        """
        name: Pass on
        on: push
        jobs:
          first:
            runs-on: x
            outputs:
              plain: ${{ steps.one.outputs.plain }}
              many: ${{ steps.one.outputs.many }}
              secret: ${{ steps.one.outputs.secret }}
            steps:
              - id: one
                run: |
                  echo "plain=a=b" >> "$GITHUB_OUTPUT"
                  printf 'many<<EOF\\nx\\n\\ny\\nEOF\\n' >> "$GITHUB_OUTPUT"
                  echo "COLOR=blue" >> "$GITHUB_ENV"
                  mkdir "$RUNNER_TEMP/bin"; printf '#!/bin/sh\\necho my tool\\n' > "$RUNNER_TEMP/bin/mytool"
                  chmod +x "$RUNNER_TEMP/bin/mytool"; echo "$RUNNER_TEMP/bin" >> "$GITHUB_PATH"
                  SECRET=$(printf 'hu%s' sh-hush); echo "::add-mask::$SECRET"; echo "secret=$SECRET" >> "$GITHUB_OUTPUT"
              - run: |
                  mytool
                  echo "$COLOR ${{ env.COLOR }} ${{ steps.one.outputs.plain }}" "$(printf 'hu%s' sh-hush)"
          second:
            runs-on: x
            needs: first
            steps:
              - shell: python
                run: |
                  print("""
        '"""${{ needs.first.outputs.many }}|${{ needs.first.outputs.secret }}|${{ needs.first.result }}""".split())'
        """
        """
    )
    shop.forge.idle(TIMEOUT)
    assert shop.run()["conclusion"] == "success"
    assert "\nmy tool\nblue blue a=b ***" in shop.log("first")
    assert "hush-hush" not in shop.log("first")
    assert "Skip output 'secret'" in shop.log("first")
    assert "['x', 'y||success']" in shop.log("second")


def test_a_failing_step_ends_the_job_unless_it_says_otherwise(shop: Workshop) -> None:
    shop.write("""
        on: push
        jobs:
          red:
            runs-on: x
            steps:
              - {id: mild, run: exit 3, continue-on-error: true}
              - run: echo "${{ steps.mild.outcome }}/${{ steps.mild.conclusion }}"
              - {name: Bad, run: false | true}
              - {name: Pipe, run: false | true, shell: bash}
              - {name: Never, run: echo never}
              - {name: Then, if: failure(), run: echo then}
              - {name: Always, if: always(), run: echo always}
          after: {runs-on: x, needs: red, steps: [{run: echo}]}
          rescue:
            runs-on: x
            needs: [red, after]
            if: always() && contains(needs.*.result, 'failure')
            steps: [{run: "echo ${{ needs.red.result }} ${{ needs.after.result }}"}]
        """)
    shop.forge.idle(TIMEOUT)
    jobs = shop.jobs()
    assert {name: job["conclusion"] for name, job in jobs.items()} == {
        "red": "failure", "after": "skipped", "rescue": "success",
    }  # fmt: skip
    assert {step["name"]: step["conclusion"] for step in jobs["red"]["steps"]} == {
        "Set up job": "success", "Run exit 3": "success",
        'Run echo "failure/success"': "success",
        "Bad": "success", "Pipe": "failure", "Never": "skipped", "Then": "success", "Always": "success",
        "Complete job": "success",
    }  # fmt: skip
    assert "failure/success" in shop.log("red")
    assert "##[error]Process completed with exit code 3." in shop.log("red")
    assert "failure skipped" in shop.log("rescue")
    assert shop.run()["conclusion"] == "failure"


def test_a_secret_never_shows_in_a_log_and_a_misspelt_one_is_empty(shop: Workshop) -> None:
    shop.forge.secret(shop.name, "DEPLOY_TOKEN", "s3cr3t-value\nsecond-line")
    shop.steps(
        """
        cat <<'END'
        ${{ secrets.DEPLOY_TOKEN }}
        END
        echo "second-line [${{ secrets.DEPLOY_TOKNE }}]"
        head -c 65532 /dev/zero | tr '\\0' x; echo "s3cr3t-value!"
        echo ${{ secrets.GITHUB_TOKEN }}
        """,
    )
    log = shop.log()
    assert "s3cr3t" not in log
    assert "second-line" not in log
    assert "*** []" in log
    assert "***!" in log
    assert "ghs_" not in log


def test_what_a_stranger_wrote_becomes_part_of_the_script_as_on_github(shop: Workshop) -> None:
    shop.write(
        """
        on: push
        jobs: {work: {runs-on: x, steps: [{run: 'echo "${{ github.event.head_commit.message }}"'}]}}
        """,
        message='a"; echo "pwned',
    )
    shop.forge.idle(TIMEOUT)
    assert "\npwned" in shop.log()


def test_a_summary_is_kept_with_secrets_masked(shop: Workshop) -> None:
    shop.forge.secret(shop.name, "WORD", "open-sesame")
    shop.steps("echo '# One' >> $GITHUB_STEP_SUMMARY", "echo 'it is ${{ secrets.WORD }}' >> $GITHUB_STEP_SUMMARY")
    summary = shop.forge.summary(shop.name, shop.jobs()["work"]["id"])
    assert summary == "# One\nit is ***\n"


def test_what_a_step_does_wrong_is_told_in_its_log(shop: Workshop) -> None:
    wrongs = {
        "format": ("run: echo nonsense >> $GITHUB_OUTPUT", "Invalid format 'nonsense'"),
        "name": ("run: echo =x >> $GITHUB_OUTPUT", "Name must not be empty"),
        "end": ("run: echo 'x<<EOF' >> $GITHUB_OUTPUT", "Matching delimiter not found 'EOF'"),
        "own": ("run: echo GITHUB_SHA=x >> $GITHUB_ENV", "Can't store GITHUB_SHA"),
        "large": ("run: head -c 2000000 /dev/zero >> $GITHUB_STEP_SUMMARY", "is larger than 1024 KiB"),
        "shell": ("{shell: 'nosuch {0}', run: echo}", "nosuch: command not found"),
        "folder": ("{working-directory: nowhere, run: echo}", "no such directory nowhere"),
        "minutes": ('{timeout-minutes: "${{ github.actor }}", run: echo}', "'captain' is no number of minutes"),
    }
    jobs = "".join(
        f"  {name}: {{runs-on: x, steps: [STEP]}}\n".replace(
            "STEP", step if step[0] == "{" else f'{{{step[:4]} "{step[5:]}"}}'
        )
        for name, (step, _) in wrongs.items()
    )
    shop.write(f"on: push\njobs:\n{jobs}")
    shop.forge.idle(TIMEOUT)
    assert {name: job["conclusion"] for name, job in shop.jobs().items()} == dict.fromkeys(wrongs, "failure")
    for name, (_, word) in wrongs.items():
        assert f"##[error]{word}" in shop.log(name) or word in shop.log(name).split("##[error]", 1)[1]


def test_a_job_may_cancel_the_one_before_it_in_its_group(shop: Workshop) -> None:
    ready = shop.folder / "ready"
    os.mkfifo(ready)
    shop.write(
        f"on: push\njobs: {{work: {{runs-on: x, concurrency: deploy, steps: [{{run: 'echo > {ready}; sleep 600'}}]}}}}"
    )
    ready.read_text()
    shop.write(
        "on: push\njobs: {work: {runs-on: x, concurrency: {group: deploy, cancel-in-progress: true}, steps: [{run: echo}]}}"
    )
    shop.forge.idle(TIMEOUT)
    assert [run["conclusion"] for run in shop.runs()] == ["cancelled", "success"]


def test_a_push_that_says_so_starts_nothing(shop: Workshop) -> None:
    shop.write("on: push\njobs: {work: {runs-on: x, steps: [{run: echo}]}}", message="Docs [skip ci]")
    shop.forge.idle(TIMEOUT)
    assert shop.runs() == []


def test_a_held_environment_may_be_cancelled_while_it_waits(shop: Workshop) -> None:
    shop.forge.environment(shop.name, "prod", reviewers=("boss",))
    shop.write("on: push\njobs: {work: {runs-on: x, environment: prod, steps: [{run: echo}]}}")
    shop.forge.idle(TIMEOUT)
    assert shop.api("POST", f"actions/runs/{shop.run()['id']}/cancel").status_code == 202
    shop.forge.idle(TIMEOUT)
    assert (shop.run()["conclusion"], shop.jobs()["work"]["conclusion"]) == ("cancelled", "cancelled")


def test_of_jobs_in_one_concurrency_group_one_runs_at_a_time(shop: Workshop) -> None:
    shop.write("""
        on: push
        jobs:
          one: {runs-on: x, concurrency: deploy, steps: [{run: "mkdir ../../../../one-at-a-time; sleep 0.2; rmdir ../../../../one-at-a-time"}]}
          two: {runs-on: x, concurrency: deploy, steps: [{run: "mkdir ../../../../one-at-a-time; sleep 0.2; rmdir ../../../../one-at-a-time"}]}
        """)
    shop.forge.idle(TIMEOUT)
    assert {name: job["conclusion"] for name, job in shop.jobs().items()} == {"one": "success", "two": "success"}


def test_only_so_many_jobs_of_a_matrix_run_at_once(shop: Workshop) -> None:
    shop.write("""
        on: push
        jobs:
          work:
            runs-on: ${{ matrix.n }}
            strategy: {max-parallel: 1, matrix: {n: [a, b, c]}}
            steps: [{run: "mkdir ../../../../alone; sleep 0.1; rmdir ../../../../alone"}]
        """)
    shop.forge.idle(TIMEOUT)
    jobs = shop.jobs()
    assert {name: (job["conclusion"], job["labels"]) for name, job in jobs.items()} == {
        f"work ({name})": ("success", [name]) for name in "abc"
    }


def test_workflow_commands_leave_their_marks_until_they_are_stopped(shop: Workshop) -> None:
    shop.steps(
        """
        echo '::error file=a.py,line=3::It%0Abroke'
        echo '::warning::careful'
        echo '::debug::unseen'
        echo '::stop-commands::token-1'
        echo '::error::only text'
        echo '::token-1::'
        echo '::notice::seen'
        """
    )
    printed = shop.log().split("##[endgroup]\n")[-1].splitlines()
    assert printed == [
        "##[error]It\\nbroke",
        "##[warning]careful",
        "::stop-commands::token-1",
        "::error::only text",
        "##[notice]seen",
    ]


def test_the_jobs_own_token_is_limited_and_ends_with_the_job(shop: Workshop) -> None:
    shop.forge.repository("rancher/other", push=("captain",))
    keep = shop.folder / "token"
    api = shop.forge.api_url
    shop.write(f"""
        on: push
        permissions: {{contents: write}}
        jobs:
          work:
            runs-on: x
            steps:
              - env: {{TOKEN: "${{{{ github.token }}}}"}}
                shell: python
                run: |
                  import os, urllib.request, urllib.error
                  def status(method, path, body=None):
                      request = urllib.request.Request("{api}" + path, body, method=method)
                      request.add_header("Authorization", "Bearer " + os.environ["TOKEN"])
                      request.add_header("Content-Type", "application/json")
                      try:
                          return urllib.request.urlopen(request).status
                      except urllib.error.HTTPError as error:
                          return error.code
                  open({str(keep)!r}, "w").write(os.environ["TOKEN"])
                  print(
                      status("POST", "/repos/rancher/rke2/dispatches", b'{{"event_type": "x"}}'),
                      status("POST", "/repos/rancher/other/dispatches", b'{{"event_type": "x"}}'),
                      status("POST", "/repos/rancher/rke2/actions/runs/1/cancel"),
                  )
        """)
    shop.forge.idle(TIMEOUT)
    assert "\n204 403 403" in shop.log()
    shop.token = keep.read_text()
    assert shop.api("GET", "actions/runs").status_code == 401


def test_what_a_workflow_pushes_with_its_own_token_starts_nothing_but_its_dispatch_does(shop: Workshop) -> None:
    shop.write(
        """
        on: {repository_dispatch: {types: [ping]}}
        jobs: {work: {runs-on: x, steps: [{run: "echo ${{ github.event.client_payload.tag }} ${{ github.actor }}"}]}}
        """,
        "pinged.yml",
        push=False,
    )
    shop.write("""
        on: push
        permissions: {contents: write}
        jobs:
          work:
            runs-on: x
            steps:
              - uses: actions/checkout@v4
              - run: |
                  git tag v1 && git push --quiet origin v1
                  curl --silent --fail -H "Content-Type: application/json" -H "Authorization: Bearer ${{ github.token }}" \\
                    -d '{"event_type": "ping", "client_payload": {"tag": "v1"}}' "$GITHUB_API_URL/repos/$GITHUB_REPOSITORY/dispatches"
        """)
    shop.forge.idle(TIMEOUT)
    assert [(run["event"], run["branch"], run["conclusion"]) for run in shop.runs()] == [
        ("push", "master", "success"), ("repository_dispatch", "master", "success"),
    ]  # fmt: skip
    assert "v1 github-actions[bot]" in shop.log()
    assert shop.git("ls-remote", "origin", "refs/tags/v1")


@pytest.mark.parametrize(
    ("inputs", "shown"),
    [
        ("{}", "master 1 no"),
        ("{fetch-depth: 0}", "master 2 v0"),
        ("{fetch-depth: 0, persist-credentials: false}", "master 2 v0"),
        ("{ref: v0}", " 1 v0"),
        ("{ref: refs/tags/v0}", " 1 v0"),
        ("{ref: master, fetch-depth: 2}", "master 2 no"),
        ('{ref: "${{ github.sha }}"}', " 1 no"),
        ("{repository: rancher/other, path: sub/dir}", "main 1 no"),
    ],
)
def test_a_checkout_is_what_its_inputs_ask_for(shop: Workshop, inputs: str, shown: str) -> None:
    shop.forge.repository("rancher/other", default_branch="main", push=("captain",))
    shop.write("on: workflow_dispatch\njobs: {a: {runs-on: x, steps: [{run: echo}]}}")
    shop.git("push", "--quiet", f"{shop.forge.url}/rancher/other.git", "HEAD:refs/heads/main")
    shop.git("tag", "-a", "v0", "-m", "v0")
    shop.git("push", "--quiet", "origin", "v0")
    where = "sub/dir" if "sub/dir" in inputs else "."
    shop.write(f"""
        on: {{push: {{branches: ["**"]}}}}
        jobs:
          work:
            runs-on: x
            steps:
              - uses: actions/checkout@v4
                with: {inputs}
              - working-directory: {where}
                run: |
                  echo "=$(git branch --show-current) $(git rev-list --count HEAD) $(git tag --points-at HEAD~0 --points-at HEAD~1 2>/dev/null || echo no)="
                  git tag --list | grep . || echo no tags
                  git config --get-regexp extraheader | cut -c1-60 || true
        """)
    shop.forge.idle(TIMEOUT)
    log = shop.log()
    branch, count, tag = shown.split(" ")
    assert f"={branch} {count} " in log
    assert ("\nv0" if tag == "v0" else "\nno tags") in log
    assert ("extraheader AUTHORIZATION" in log) is ("persist-credentials: false" not in inputs)
    assert "ghs_" not in log


def test_a_wrong_checkout_and_an_unknown_action_are_told(shop: Workshop) -> None:
    shop.write("""
        on: push
        jobs:
          setup: {runs-on: x, steps: [{uses: actions/setup-go@v5}]}
          other: {runs-on: x, steps: [{uses: docker/build-push-action@v6}]}
          out: {runs-on: x, steps: [{uses: actions/checkout@v4, with: {path: ../..}}]}
          gone: {runs-on: x, steps: [{uses: actions/checkout@v4, with: {ref: nowhere}}]}
          word: {runs-on: x, steps: [{uses: actions/checkout@v4, with: {fetch_depth: 0}}]}
        """)
    shop.forge.idle(TIMEOUT)
    assert {name: job["conclusion"] for name, job in shop.jobs().items()} == {
        "setup": "success", "other": "failure", "out": "failure", "gone": "failure", "word": "failure",
    }  # fmt: skip
    assert "setup-go@v5 has nothing to do here" in shop.log("setup")
    assert "docker/build-push-action@v6 cannot run here" in shop.log("other")
    assert "is not under" in shop.log("out")
    assert "couldn't find remote ref" in shop.log("gone")
    assert "Unexpected input(s) 'fetch_depth'" in shop.log("word")


def test_a_matrix_fails_fast_or_not(shop: Workshop) -> None:
    shop.write("""
        on: push
        jobs:
          fast:
            runs-on: x
            strategy: {matrix: {n: [1, 2]}}
            steps: [{run: "[ ${{ matrix.n }} = 2 ] || exec sleep 600; exit 1"}]
          slow:
            runs-on: x
            name: s${{ matrix.n }} of ${{ strategy.job-total }}
            strategy: {fail-fast: false, matrix: "${{ fromJSON('{\\"n\\": [1, 2]}') }}"}
            steps: [{run: "exit $(( ${{ matrix.n }} - 1 ))"}]
        """)
    shop.forge.idle(TIMEOUT)
    assert {name: job["conclusion"] for name, job in shop.jobs().items()} == {
        "fast (1)": "cancelled", "fast (2)": "failure", "s1 of 2": "success", "s2 of 2": "failure",
    }  # fmt: skip


def test_time_runs_out_for_a_step_and_for_a_job(shop: Workshop) -> None:
    shop.write("""
        on: push
        jobs:
          step: {runs-on: x, steps: [{run: sleep 600, timeout-minutes: 0.005}]}
          job: {runs-on: x, timeout-minutes: 0.005, steps: [{run: sleep 600}, {run: echo never}]}
        """)
    shop.forge.idle(TIMEOUT)
    assert {name: job["conclusion"] for name, job in shop.jobs().items()} == {"step": "failure", "job": "cancelled"}
    assert "timed out after 0.005 minutes" in shop.log("step")
    assert "maximum execution time of 0.005 minutes" in shop.log("job")
    assert "never" not in shop.log("job").replace("run: echo never", "")


def test_an_invalid_workflow_is_a_run_that_failed_at_startup(shop: Workshop) -> None:
    shop.write("name: Broken\non: push\njobs: {a: {runs-on: x, steps: [{run: '${{ secret.X }}'}]}}")
    shop.forge.idle(TIMEOUT)
    run = shop.run()
    assert (run["status"], run["conclusion"], run["name"]) == ("completed", "startup_failure", "Broken")
    assert "Unrecognized named-value: 'secret'" in run["complaint"]
    assert shop.jobs() == {}


def test_a_job_that_makes_no_sense_fails_and_says_why(shop: Workshop) -> None:
    shop.write("""
        on: push
        jobs:
          work: {runs-on: x, strategy: {matrix: "${{ fromJSON('[') }}"}, steps: [{run: echo}]}
          number: {runs-on: x, strategy: {matrix: {n: ["${{ NaN }}"]}}, steps: [{run: echo}]}
          fine: {runs-on: x, steps: [{run: echo}]}
        """)
    shop.forge.idle(TIMEOUT)
    assert {name: job["conclusion"] for name, job in shop.jobs().items()} == {
        "work": "failure", "number": "failure", "fine": "success",
    }  # fmt: skip
    assert "fromJSON: not JSON" in shop.log()


def test_of_a_concurrency_group_one_runs_and_the_newest_waits(shop: Workshop) -> None:
    gate = shop.folder / "gate"
    for number in (1, 3):
        os.mkfifo(f"{gate}-{number}")
    workflow = f"""
        on: push
        concurrency: "group-${{{{ github.ref }}}}"
        jobs: {{work: {{runs-on: x, steps: [{{run: "cat {gate}-${{{{ github.run_number }}}}"}}]}}}}
        """
    for number in range(3):
        shop.write(workflow, message=f"Number {number}")
    for number in (1, 3):
        Path(f"{gate}-{number}").write_text("go\n")
    shop.forge.idle(TIMEOUT)
    assert [(run["title"], run["conclusion"]) for run in shop.runs()] == [
        ("Number 0", "success"), ("Number 1", "cancelled"), ("Number 2", "success"),
    ]  # fmt: skip


def test_held_runs_of_a_group_take_their_places_too(shop: Workshop) -> None:
    shop.forge.runner(shop.name, hold=True)
    for number in range(3):
        shop.write(
            "on: push\nconcurrency: one\njobs: {work: {runs-on: x, steps: [{run: echo}]}}", message=f"Number {number}"
        )
    shop.forge.idle(TIMEOUT)
    assert [(run["status"], run["conclusion"]) for run in shop.runs()] == [
        ("queued", None), ("completed", "cancelled"), ("pending", None),
    ]  # fmt: skip
    shop.forge.runner(shop.name, hold=False)
    shop.forge.idle(TIMEOUT)
    assert [run["conclusion"] for run in shop.runs()] == ["success", "cancelled", "success"]


def test_a_newer_run_may_cancel_the_one_in_progress(shop: Workshop) -> None:
    ready = shop.folder / "ready"
    os.mkfifo(ready)
    shop.write(f"""
        on: push
        concurrency: {{group: one, cancel-in-progress: true}}
        jobs: {{work: {{runs-on: x, steps: [{{run: "echo > {ready}; sleep 600"}}, {{run: echo cleaned, if: always()}}]}}}}
        """)
    ready.read_text()
    shop.steps("true", on="push\nconcurrency: {group: one, cancel-in-progress: true}")
    first, second = shop.runs()
    assert (first["conclusion"], second["conclusion"]) == ("cancelled", "success")
    assert "cleaned" in shop.log(run=first)


def test_a_job_for_an_environment_waits_for_its_reviewer(shop: Workshop) -> None:
    shop.forge.environment(shop.name, "prod", reviewers=("boss",))
    shop.write("""
        on: push
        jobs:
          work: {runs-on: x, environment: prod, steps: [{run: echo shipped}]}
        """)
    shop.forge.idle(TIMEOUT)
    run = shop.run()
    assert (run["status"], shop.jobs()["work"]["status"]) == ("waiting", "waiting")
    with pytest.raises(PermissionError):
        shop.forge.approve(shop.name, run["id"], "captain")
    shop.forge.approve(shop.name, run["id"], "boss")
    shop.forge.idle(TIMEOUT)
    assert (shop.run()["conclusion"], "shipped" in shop.log()) == ("success", True)
    repo = shop.forge.find(shop.name)["id"]
    states = [(one["state"], one["creator"]) for one in shop.forge.store.all("deployment_status", repo)]
    assert states == [
        ("waiting", "github-actions[bot]"), ("queued", "boss"),
        ("in_progress", "github-actions[bot]"), ("success", "github-actions[bot]"),
    ]  # fmt: skip


def test_a_rejected_job_fails_without_running(shop: Workshop) -> None:
    shop.forge.environment(shop.name, "prod", reviewers=("boss",))
    shop.write("on: push\njobs: {work: {runs-on: x, environment: prod, steps: [{run: echo shipped}]}}")
    shop.forge.idle(TIMEOUT)
    shop.forge.approve(shop.name, shop.run()["id"], "boss", approved=False)
    shop.forge.idle(TIMEOUT)
    assert (shop.run()["conclusion"], shop.log()) == ("failure", "")


def test_a_switched_off_runner_starts_nothing_and_a_held_one_later(shop: Workshop) -> None:
    shop.forge.runner(shop.name, starts=False)
    shop.write("on: push\njobs: {work: {runs-on: x, steps: [{run: echo}]}}")
    shop.forge.idle(TIMEOUT)
    assert shop.runs() == []
    shop.forge.runner(shop.name, starts=True, hold=True)
    shop.write("on: push\njobs: {work: {runs-on: x, steps: [{run: echo again}]}}")
    shop.forge.idle(TIMEOUT)
    assert [run["status"] for run in shop.runs()] == ["queued"]
    shop.forge.runner(shop.name, hold=False)
    shop.forge.idle(TIMEOUT)
    assert [run["conclusion"] for run in shop.runs()] == ["success"]


def test_stopping_ends_what_runs_and_the_next_start_goes_on(tmp_path: Path) -> None:
    pids = tmp_path / "pids"
    os.mkfifo(pids)
    with Sandbox(tmp_path / "forge") as forge:
        shop = Workshop(forge, tmp_path)
        shop.write(f"""
            on: push
            jobs:
              work: {{runs-on: x, steps: [{{run: "sleep 600 & echo $! $$ > {shlex.quote(str(pids))}; wait"}}]}}
              after: {{runs-on: x, needs: work, if: always(), steps: [{{run: echo after}}]}}
            """)
        running = [int(word) for word in pids.read_text().split()]
    for pid in running:
        assert ended(pid)
    with Sandbox(tmp_path / "forge") as forge:
        forge.idle(TIMEOUT)
        shop.forge = forge
        assert {name: job["conclusion"] for name, job in shop.jobs().items()} == {"work": "failure", "after": "success"}
        assert "lost communication" in shop.log()
        assert shop.run()["conclusion"] == "failure"


def test_what_a_step_leaves_in_the_background_serves_the_next_and_ends_with_the_job(shop: Workshop) -> None:
    shop.steps("sleep 600 & echo $! > pid", "kill -0 $(cat pid) && echo serves && cat pid")
    pid = shop.log().splitlines()[-1]
    assert "serves" in shop.log()
    assert pid.isdecimal()
    assert ended(int(pid))


def test_many_events_at_once_each_have_their_run(shop: Workshop) -> None:
    shop.write("on: repository_dispatch\njobs: {work: {runs-on: x, steps: [{run: echo}]}}")
    payload = {"event_type": "x", "client_payload": {}}
    threads = [threading.Thread(target=shop.api, args=("POST", "dispatches", payload)) for _ in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(TIMEOUT)
    shop.forge.idle(TIMEOUT)
    assert [run["conclusion"] for run in shop.runs()] == ["success"] * 12
    assert sorted(run["number"] for run in shop.runs()) == [*range(1, 13)]


def test_only_a_release_of_the_wanted_type_starts_its_workflow(shop: Workshop) -> None:
    shop.write("""
        on: {release: {types: [published]}}
        jobs: {work: {runs-on: x, steps: [{run: "echo ${{ github.event.release.tag_name }} $GITHUB_REF_TYPE"}]}}
        """)
    shop.git("tag", "v1.0.0")
    shop.git("push", "--quiet", "origin", "v1.0.0")
    made = shop.api("POST", "releases", {"tag_name": "v1.0.0", "name": "The first"})
    assert made.status_code == 201, made.text
    shop.forge.idle(TIMEOUT)
    run = shop.run()
    assert (len(shop.runs()), run["event"], run["branch"], run["title"]) == (1, "release", "v1.0.0", "The first")
    assert "v1.0.0 tag" in shop.log()
    assert json.dumps(run["payload"]["action"]) == '"published"'
