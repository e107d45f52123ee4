package wire

import (
	"bytes"
	"errors"
	"io"
	"reflect"
	"testing"
	"time"
)

func TestEveryMessageSurvivesTheWire(t *testing.T) {
	boot := Boot{Outside: []string{"mnt:[1]"}, Mounts: []Mount{{"/usr", "/usr", false}, {"/lib64", "/lib64", true}}, Hostname: "sandbox",
		ScratchBytes: 1 << 20, ScratchInodes: 100, UID: 1000, GID: 1000, SwitchIDs: true,
		Stdin: true, Channel: true, WarmDir: true, Warm: []File{{Path: "a.py", Content: []byte("x")}}, Filters: 2}
	gotBoot, version, err := DecodeBoot(boot.Encode())
	if err != nil || version != Version || !reflect.DeepEqual(gotBoot, boot) {
		t.Fatalf("boot: %+v, %d, %v", gotBoot, version, err)
	}
	job := Job{Program: "sh", Argv: []string{"/bin/sh", "-c", ""}, Env: []string{"A=b"}, Dir: "/room", Stdin: true, Channel: true,
		Rlimits: []Rlimit{{1, 2, 3}, {7, 1 << 60, 1 << 61}}, Limits: Limits{ScratchBytes: 4, ScratchInodes: 5}, Filter: []byte{1, 2, 3}, Nice: 5, Collect: []string{"**"}, CollectBytes: 9, CollectFiles: 8}
	gotJob, err := DecodeJob(job.Encode())
	if err != nil || !reflect.DeepEqual(gotJob, job) {
		t.Fatalf("job: %+v, %v", gotJob, err)
	}
	file := File{Path: "a/b", Content: []byte("x\x00y"), ReadOnly: true, Executable: true}
	gotFile, err := DecodeFile(file.Encode())
	if err != nil || !reflect.DeepEqual(gotFile, file) {
		t.Fatalf("file: %+v, %v", gotFile, err)
	}
	exited := Exited{Status: 256, User: time.Second, System: -1, MaxRSS: 1 << 40}
	gotExited, err := DecodeExited(exited.Encode())
	if err != nil || gotExited != exited {
		t.Fatalf("exited: %+v, %v", gotExited, err)
	}
	fail := Fail{Stage: StageMount, Text: "/usr", Errno: 13}
	gotFail, err := DecodeFail(fail.Encode())
	if err != nil || gotFail != fail {
		t.Fatalf("fail: %+v, %v", gotFail, err)
	}
	done, err := DecodeDone(Done{CollectTruncated: true}.Encode())
	if err != nil || !done.CollectTruncated {
		t.Fatalf("done: %+v, %v", done, err)
	}
}

func TestAFrameBeyondTheLimitIsRefusedBeforeItIsAllocated(t *testing.T) {
	_, _, err := ReadFrame(bytes.NewReader([]byte{0xff, 0xff, 0xff, 0xff, 1}), 1<<20)
	if !errors.Is(err, ErrMalformed) {
		t.Fatalf("got %v", err)
	}
}

func TestACutFrameIsNotAnOrderlyEnd(t *testing.T) {
	var b bytes.Buffer
	if err := WriteFrame(&b, KindDone, Done{}.Encode()); err != nil {
		t.Fatal(err)
	}
	_, _, err := ReadFrame(bytes.NewReader(b.Bytes()[:headerSize]), 10)
	if !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Fatalf("got %v", err)
	}
	if _, _, err = ReadFrame(bytes.NewReader(nil), 10); !errors.Is(err, io.EOF) {
		t.Fatalf("got %v", err)
	}
}

func TestAnotherVersionIsRecognisedWithoutReadingOn(t *testing.T) {
	_, version, err := DecodeBoot([]byte{99, 1, 2, 3})
	if err != nil || version != 99 {
		t.Fatalf("version %d, %v", version, err)
	}
}

func FuzzFramesFromTheOtherSide(f *testing.F) {
	for _, m := range []struct {
		kind Kind
		body []byte
	}{
		{KindBoot, Boot{Mounts: []Mount{{"/usr", "/usr", true}}}.Encode()},
		{KindJob, Job{Argv: []string{"a"}, Rlimits: []Rlimit{{1, 1, 1}}}.Encode()},
		{KindCollected, File{Path: "a", Content: []byte("b")}.Encode()},
		{KindExited, Exited{Status: 1}.Encode()},
		{KindDone, Done{}.Encode()},
		{KindFail, Fail{Stage: "x"}.Encode()},
	} {
		var b bytes.Buffer
		if err := WriteFrame(&b, m.kind, m.body); err != nil {
			f.Fatal(err)
		}
		f.Add(b.Bytes())
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		const limit = 1 << 16
		r := bytes.NewReader(data)
		for {
			_, body, err := ReadFrame(r, limit)
			if err != nil {
				return
			}
			if len(body) > limit {
				t.Fatalf("body of %d bytes", len(body))
			}
			// None may panic or allocate beyond the frame; what decodes must
			// encode to something that decodes to the same.
			if file, err := DecodeFile(body); err == nil {
				again, err := DecodeFile(file.Encode())
				if err != nil || !reflect.DeepEqual(again, file) {
					t.Fatalf("%+v became %+v, %v", file, again, err)
				}
			}
			if job, err := DecodeJob(body); err == nil {
				if _, err := DecodeJob(job.Encode()); err != nil {
					t.Fatal(err)
				}
			}
			_, _, _ = DecodeBoot(body)
			_, _ = DecodeExited(body)
			_, _ = DecodeDone(body)
			_, _ = DecodeFail(body)
		}
	})
}
