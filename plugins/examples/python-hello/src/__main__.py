"""A validator plugin in Python: it wants a greeting in hello.txt."""

import json

import host
from tracker.plugin.validator.v1 import validator_pb2 as pb
from tracker.plugin.validator.v1 import validator_pb2_grpc as rpc


class Hello(rpc.ValidatorServiceServicer):
    """Judges from the text alone, so it plans no steps.

    An exception means "I could not judge" and is never the learner's fault;
    what is wrong with the submission goes into the report.
    """

    def Describe(self, request, context):
        text = pb.Language(name="text", extensions=[".txt"], default_file="hello.txt")
        return pb.DescribeResponse(name="python-hello", version="1.0.0", languages=[text])

    def Plan(self, request, context):
        check_options(request.task)
        return pb.PlanResponse()

    def Judge(self, request, context):
        check_options(request.task)
        for file in request.submission.files:
            if file.path == "hello.txt" and b"Hello" in file.content:
                return pb.JudgeResponse(report=pb.Report(verdict=pb.VERDICT_PASSED, score=1))
        why = pb.Message(
            id="python-hello.missing",
            text={"en": "hello.txt must say Hello.", "es": "hello.txt debe decir Hello."},
        )
        return pb.JudgeResponse(report=pb.Report(verdict=pb.VERDICT_FAILED, summary=why))


def check_options(task):
    """Refuses options, so that a teacher sees a misspelt one."""
    unknown = json.loads(task.options or "{}")
    if unknown:
        raise ValueError(f"python-hello takes no options, but the task sets {', '.join(unknown)}")


if __name__ == "__main__":
    host.serve(
        "python-hello 1.0.0 is a validator plugin of Goals Tracker. It judges text.",
        lambda server: rpc.add_ValidatorServiceServicer_to_server(Hello(), server),
    )
