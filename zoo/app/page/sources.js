// Where pictures come from: the camera as it runs, or a video file frame by frame.

/** What went wrong, for people. */
export class Trouble extends Error {}

const CAMERA = {
  NotAllowedError:
    "The camera was refused. Allow it for this page in the browser's address bar, or open a video.",
  NotFoundError: "There is no camera here. Open a video instead.",
  NotReadableError: "The camera is used by another program. Close that one and try again.",
  OverconstrainedError: "The camera gives no picture that can be used. Open a video instead.",
};

/** What this browser lacks to run the page, in words; empty where it lacks nothing. */
export function lacking() {
  const canvas = document.createElement("canvas");
  if (!canvas.getContext("webgl2")) {
    return "This browser gives no WebGL 2, with which the skeleton is found. Turn on hardware " +
      "acceleration, or use another browser.";
  }
  const simd = new Uint8Array([
    0, 97, 115, 109, 1, 0, 0, 0, 1, 5, 1, 96, 0, 1, 123, 3, 2, 1, 0, 10, 10, 1, 8, 0, 65, 0, 253,
    15, 253, 98, 11,
  ]);
  if (typeof WebAssembly !== "object" || !WebAssembly.validate(simd)) {
    return "This browser lacks WebAssembly with SIMD, with which the score is computed. Use a " +
      "newer one.";
  }
  return "";
}

/** The camera's stream, shown in a video element. */
export async function openCamera(video) {
  if (!navigator.mediaDevices?.getUserMedia) {
    throw new Trouble(
      "This page may not use a camera: open it as http://localhost or by https, or open a video.",
    );
  }
  let stream;
  try {
    const wanted = { width: { ideal: 640 }, height: { ideal: 480 }, facingMode: "user" };
    stream = await navigator.mediaDevices.getUserMedia({ video: wanted, audio: false });
  } catch (error) {
    throw new Trouble(CAMERA[error.name] ?? `The camera cannot be opened: ${error.message}`);
  }
  video.srcObject = stream;
  await video.play();
  return stream;
}

/** A video file in a video element, at its beginning; gives its seconds. */
export async function openVideo(video, file) {
  video.srcObject = null;
  video.src = URL.createObjectURL(file);
  try {
    await event(video, "loadeddata");
  } catch {
    throw new Trouble(`${file.name} is no video that this browser can read.`);
  }
  if (!Number.isFinite(video.duration)) await seek(video, 1e7); // recorders leave the length out
  const seconds = video.duration;
  await seek(video, 0);
  return seconds;
}

/** Shows the picture at a time of the video. */
export async function seek(video, seconds) {
  if (Math.abs(video.currentTime - seconds) < 1e-6 && video.readyState >= 2) return;
  const done = event(video, "seeked");
  video.currentTime = seconds;
  await done;
}

/** Waits for the camera's next picture. */
export function nextPicture(video) {
  return new Promise((resolve) => {
    if (video.requestVideoFrameCallback) video.requestVideoFrameCallback(() => resolve());
    else requestAnimationFrame(() => resolve());
  });
}

/** Closes whatever a video element shows. */
export function close(video) {
  video.srcObject?.getTracks().forEach((track) => track.stop());
  video.srcObject = null;
  if (video.src) {
    URL.revokeObjectURL(video.src);
    video.removeAttribute("src");
    video.load();
  }
}

function event(target, name) {
  return new Promise((resolve, reject) => {
    const stop = new AbortController();
    const once = { signal: stop.signal };
    const end = (then) => () => (stop.abort(), then());
    target.addEventListener(name, end(resolve), once);
    target.addEventListener("error", end(() => reject(target.error)), once);
  });
}
