// MediaPipe Pose in this page: a picture in, 33 landmarks out.

/** Loads the model from the page's own folder. */
export class PoseFinder {
  static async open(pose) {
    await script(new URL("./vendor/pose/pose.js", import.meta.url));
    const finder = new PoseFinder();
    finder.pose = new globalThis.Pose({
      locateFile: (file) => new URL(`./vendor/pose/${file}`, import.meta.url).href,
    });
    finder.pose.setOptions({
      modelComplexity: ["lite", "full", "heavy"].indexOf(pose),
      smoothLandmarks: true,
      selfieMode: false,
    });
    finder.pose.onResults((found) => (finder.found = found));
    await finder.pose.initialize();
    return finder;
  }

  /** Forgets the person of the picture before. */
  reset() {
    this.pose.reset();
  }

  /**
   * @param image a video element
   * @returns {world: 33 × [x, y, z, visibility] metres, picture: the same in parts of the picture,
   *   ms}; world and picture are null where nobody is seen
   */
  async find(image) {
    const begun = performance.now();
    this.found = null;
    await this.pose.send({ image });
    const rows = (points) =>
      points?.length ? points.map((p) => [p.x, p.y, p.z, p.visibility ?? 1]) : null;
    const found = this.found ?? {};
    const world = rows(found.poseWorldLandmarks);
    return { world, picture: world && rows(found.poseLandmarks), ms: performance.now() - begun };
  }
}

function script(url) {
  if (globalThis.Pose) return Promise.resolve();
  return new Promise((resolve, reject) => {
    const element = document.createElement("script");
    element.src = url.href;
    element.onload = resolve;
    element.onerror = () => reject(new Error(`${url.pathname} cannot be loaded`));
    document.head.append(element);
  });
}
