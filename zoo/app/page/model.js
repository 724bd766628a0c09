// The exported model: samples in, scores out.

export class Model {
  /**
   * @param ort the onnxruntime-web module
   * @param bytes of the ONNX file
   */
  static async open(ort, bytes) {
    const model = new Model();
    model.ort = ort;
    model.session = await ort.InferenceSession.create(bytes, { executionProviders: ["wasm"] });
    return model;
  }

  /**
   * What the model says of samples {x: T × V × 3, frames: T, fps}.
   *
   * @returns {scores, deviations}, a number a sample in score units; deviations are null where the
   *   model does not say how far off it expects to be
   */
  async says(samples, joints) {
    const scores = [];
    const deviations = [];
    const { Tensor } = this.ort;
    for (const { x, frames, fps } of samples) {
      const given = {
        position: () => new Tensor("float32", x, [1, frames, joints, 3]),
        mask: () => new Tensor("bool", new Uint8Array(frames).fill(1), [1, frames]),
        fps: () => new Tensor("float32", [fps], [1]),
      };
      const feeds = this.session.inputNames.map((name) => [name, given[name]()]);
      const said = await this.session.run(Object.fromEntries(feeds));
      scores.push(said.score.data[0]);
      if (said.deviation) deviations.push(said.deviation.data[0]);
    }
    return { scores, deviations: deviations.length ? deviations : null };
  }
}
