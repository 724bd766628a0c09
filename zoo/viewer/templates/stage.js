"use strict";
/* The skeleton on its stage: in 3-D where there is WebGL, else a drawing of the same view. */

/* Numbers of a base64 text: kind is Int8Array or Int16Array, little-endian as all browsers are. */
function numbers(text, kind) {
  const bytes = Uint8Array.from(atob(text), (c) => c.charCodeAt(0));
  return new kind(bytes.buffer);
}

/* A colour of the page as [r, g, b] of 255, in the theme that is shown. */
function pageColour(name) {
  const probe = document.createElement("span");
  probe.className = `probe-${name}`;
  document.body.append(probe);
  const found = getComputedStyle(probe).color.match(/[\d.]+/g).slice(0, 3).map(Number);
  probe.remove();
  return found;
}

const COLOURS = ["left", "right", "middle", "raises", "lowers", "other", "floor", "paper"];

const mixed = (a, b, share) => a.map((v, i) => v + (b[i] - v) * share);

/* Where the camera stands: turned by yaw about the vertical and pitch above the floor. */
const VIEWS = {
  front: { yaw: 0, pitch: 0.12 },
  side: { yaw: Math.PI / 2, pitch: 0.12 },
  above: { yaw: 0, pitch: 1.35 },
};

class Stage {
  constructor(canvas, note) {
    this.canvas = canvas;
    this.note = note;
    this.camera = { ...VIEWS.front, zoom: 1 };
    this.colours = {};
    this.options = { colours: true, beside: true };
    this.useTheme();
    this.painter = Solid.possible() ? new Solid(this) : new Flat(this);
    this.explain();
    canvas.addEventListener("webglcontextlost", (event) => {
      event.preventDefault();
      const fresh = canvas.cloneNode();
      canvas.replaceWith(fresh);
      this.canvas = fresh;
      this.listen();
      this.painter = new Flat(this);
      this.explain();
      this.show(this.view);
    });
    this.listen();
  }

  explain() {
    this.note.hidden = this.painter instanceof Solid;
    this.canvas.dataset.painter = this.painter.constructor.name;
  }

  useTheme() {
    for (const name of COLOURS) this.colours[name] = pageColour(name);
  }

  show(view) {
    this.view = view;
    this.frame = 0;
    this.painter.show(view);
    this.resize();
  }

  look(name) {
    Object.assign(this.camera, VIEWS[name]);
    this.draw();
  }

  turn(yaw, pitch) {
    this.camera.yaw += yaw;
    this.camera.pitch = Math.min(1.5, Math.max(-0.3, this.camera.pitch + pitch));
    this.draw();
  }

  zoom(factor) {
    this.camera.zoom = Math.min(4, Math.max(0.5, this.camera.zoom * factor));
    this.draw();
  }

  resize() {
    const { width, height } = this.canvas.getBoundingClientRect();
    if (width && height) this.painter.resize(width, height, Math.min(devicePixelRatio, 2));
    this.draw();
  }

  draw(frame = this.frame) {
    this.frame = frame;
    if (this.view) this.painter.draw(frame);
  }

  listen() {
    let from = null;
    const { canvas } = this;
    canvas.addEventListener("pointerdown", (event) => {
      from = [event.clientX, event.clientY];
      canvas.setPointerCapture(event.pointerId);
    });
    canvas.addEventListener("pointermove", (event) => {
      if (!from) return;
      const [x, y] = from;
      from = [event.clientX, event.clientY];
      this.turn((event.clientX - x) * 0.01, (event.clientY - y) * 0.01);
    });
    for (const end of ["pointerup", "pointercancel"]) {
      canvas.addEventListener(end, () => {
        from = null;
      });
    }
    canvas.addEventListener(
      "wheel",
      (event) => {
        if (document.activeElement !== canvas) return; // else the page could not be scrolled
        event.preventDefault();
        this.zoom(event.deltaY < 0 ? 1.1 : 1 / 1.1);
      },
      { passive: false },
    );
    const keys = {
      ArrowLeft: () => this.turn(-0.15, 0),
      ArrowRight: () => this.turn(0.15, 0),
      ArrowUp: () => this.turn(0, 0.1),
      ArrowDown: () => this.turn(0, -0.1),
      "+": () => this.zoom(1.15),
      "=": () => this.zoom(1.15),
      "-": () => this.zoom(1 / 1.15),
    };
    canvas.addEventListener("keydown", (event) => {
      if (!keys[event.key] || event.ctrlKey || event.metaKey || event.altKey) return;
      event.preventDefault();
      event.stopPropagation();
      keys[event.key]();
    });
  }

  /* Colour and size of each joint in a frame; sizes are times the usual one. */
  joints(frame) {
    const { view, colours } = this;
    const tones = [colours.middle, colours.left, colours.right];
    const own = view.sides.map((side) => ({ colour: tones[side], size: 1 }));
    const { rests } = view;
    if (!rests || !this.options.colours) return own;
    const at = Math.round((frame / Math.max(view.frames - 1, 1)) * (rests.points - 1));
    return own.map((plain, joint) => {
      const share = rests.rates[at * own.length + joint] / 127;
      const colour = rests.signed ? (share < 0 ? colours.lowers : colours.raises) : colours.other;
      const strength = Math.abs(share);
      return { colour: mixed(colours.middle, colour, strength), size: 1 + 1.4 * strength };
    });
  }
}

/* The place of each joint, in metres, between two frames: [x, y, z, x, …]. */
function placesAt(view, places, frame) {
  const size = view.sides.length * 3;
  const first = Math.min(Math.floor(frame), view.frames - 1);
  const next = Math.min(first + 1, view.frames - 1);
  const share = frame - first;
  const found = new Float32Array(size);
  for (let i = 0; i < size; i += 1) {
    const a = places[first * size + i];
    found[i] = (a + (places[next * size + i] - a) * share) / 1000;
  }
  return found;
}

/* Across, up and depth of each joint as the camera sees it, the middle of the body at 0. */
function seen(view, places, camera) {
  const [cosY, sinY] = [Math.cos(camera.yaw), Math.sin(camera.yaw)];
  const [cosP, sinP] = [Math.cos(camera.pitch), Math.sin(camera.pitch)];
  return view.sides.map((_, joint) => {
    const x = places[3 * joint] - view.middle[0];
    const y = places[3 * joint + 1] - view.middle[1];
    const z = places[3 * joint + 2] - view.middle[2];
    const across = -(x * cosY + z * sinY);
    const away = z * cosY - x * sinY;
    return [across, y * cosP + away * sinP, away * cosP - y * sinP];
  });
}

/* The drawing without WebGL. */
class Flat {
  constructor(stage) {
    this.stage = stage;
    this.pen = stage.canvas.getContext("2d");
  }

  show() {}

  resize(width, height, ratio) {
    Object.assign(this.stage.canvas, { width: width * ratio, height: height * ratio });
  }

  draw(frame) {
    const { stage, pen } = this;
    const { view, canvas } = stage;
    pen.clearRect(0, 0, canvas.width, canvas.height);
    if (view.beside && stage.options.beside) {
      this.body(view.beside.places, frame, stage.joints(frame).map(() => ({ colour: stage.colours.other, size: 0.6 })), 0.55);
    }
    this.body(view.places, frame, stage.joints(frame), 1);
  }

  body(places, frame, joints, opacity) {
    const { stage, pen } = this;
    const { view, canvas, camera } = stage;
    const scale = (0.82 * Math.min(canvas.height, canvas.width) * camera.zoom) / view.height;
    const at = seen(view, placesAt(view, places, frame), camera).map(([x, y]) => [
      canvas.width / 2 + scale * x,
      canvas.height / 2 - scale * y,
    ]);
    const css = (colour) => `rgb(${colour.map(Math.round).join(" ")} / ${opacity})`;
    const tones = [stage.colours.middle, stage.colours.left, stage.colours.right];
    pen.lineCap = "round";
    pen.lineWidth = 0.028 * scale;
    for (const [child, parent] of view.bones) {
      pen.strokeStyle = css(opacity < 1 ? stage.colours.other : tones[view.sides[child]]);
      pen.beginPath();
      pen.moveTo(...at[child]);
      pen.lineTo(...at[parent]);
      pen.stroke();
    }
    joints.forEach(({ colour, size }, joint) => {
      pen.fillStyle = css(colour);
      pen.beginPath();
      pen.arc(...at[joint], 0.026 * scale * size, 0, 2 * Math.PI);
      pen.fill();
    });
  }
}

/* Spheres and cylinders in 3-D. */
class Solid {
  static possible() {
    const probe = document.createElement("canvas").getContext("webgl2");
    probe?.getExtension("WEBGL_lose_context")?.loseContext();
    return probe !== null;
  }

  constructor(stage) {
    this.stage = stage;
    this.renderer = new THREE.WebGLRenderer({ canvas: stage.canvas, antialias: true, alpha: true });
    this.scene = new THREE.Scene();
    this.lens = new THREE.PerspectiveCamera(28, 1, 0.1, 60);
    this.scene.add(new THREE.HemisphereLight(0xffffff, 0x889099, 2.2));
    this.sun = new THREE.DirectionalLight(0xffffff, 1.6);
    this.scene.add(this.sun);
  }

  show(view) {
    if (this.group) {
      this.scene.remove(this.group);
      this.group.traverse((part) => {
        part.geometry?.dispose();
        part.material?.dispose();
        part.dispose?.();
      });
    }
    this.group = new THREE.Group();
    this.floor = new THREE.GridHelper(6, 12, 0xffffff, 0xffffff);
    this.group.add(this.floor);
    this.body = this.made(view, 1);
    this.ghost = view.beside ? this.made(view, 0.45) : null;
    this.scene.add(this.group);
  }

  /* Instances of one sphere a joint and one cylinder a bone. */
  made(view, opacity) {
    const material = () =>
      new THREE.MeshLambertMaterial({ transparent: opacity < 1, opacity, depthWrite: opacity === 1 });
    const joints = new THREE.InstancedMesh(new THREE.SphereGeometry(0.026, 20, 14), material(), view.sides.length);
    const bones = new THREE.InstancedMesh(new THREE.CylinderGeometry(0.014, 0.014, 1, 12), material(), view.bones.length);
    for (const part of [joints, bones]) {
      part.frustumCulled = false;
      this.group.add(part);
    }
    return { joints, bones };
  }

  resize(width, height, ratio) {
    this.renderer.setPixelRatio(ratio);
    this.renderer.setSize(width, height, false);
    this.lens.aspect = width / height;
    this.lens.updateProjectionMatrix();
  }

  draw(frame) {
    const { stage } = this;
    const { view, camera, colours } = stage;
    this.floor.material.color = this.colour(colours.floor);
    const tones = [colours.middle, colours.left, colours.right];
    const joints = stage.joints(frame);
    this.place(this.body, placesAt(view, view.places, frame), joints, (child) => tones[view.sides[child]]);
    if (this.ghost) {
      for (const part of Object.values(this.ghost)) part.visible = stage.options.beside;
      const plain = joints.map(() => ({ colour: colours.other, size: 0.8 }));
      this.place(this.ghost, placesAt(view, view.beside.places, frame), plain, () => colours.other);
    }
    const half = view.height / 2 / Math.tan((this.lens.fov * Math.PI) / 360);
    const away = (1.16 * Math.max(half, (0.75 * half) / this.lens.aspect)) / camera.zoom;
    const flat = Math.cos(camera.pitch) * away;
    const [x, y, z] = view.middle;
    // Before the person, where the sensor stood, is towards smaller z.
    this.lens.position.set(x + Math.sin(camera.yaw) * flat, y + Math.sin(camera.pitch) * away, z - Math.cos(camera.yaw) * flat);
    this.lens.lookAt(x, y, z);
    this.sun.position.copy(this.lens.position).add(new THREE.Vector3(-1, 3, 0));
    this.renderer.render(this.scene, this.lens);
  }

  place({ joints, bones }, places, looks, tone) {
    const point = (joint) => new THREE.Vector3(...places.subarray(3 * joint, 3 * joint + 3));
    const matrix = new THREE.Matrix4();
    const upright = new THREE.Quaternion();
    looks.forEach(({ colour, size }, joint) => {
      matrix.compose(point(joint), upright, new THREE.Vector3(size, size, size));
      joints.setMatrixAt(joint, matrix);
      joints.setColorAt(joint, this.colour(colour));
    });
    const up = new THREE.Vector3(0, 1, 0);
    this.stage.view.bones.forEach(([child, parent], bone) => {
      const [from, to] = [point(parent), point(child)];
      const way = to.clone().sub(from);
      const length = way.length() || 1e-6;
      const turned = new THREE.Quaternion().setFromUnitVectors(up, way.divideScalar(length));
      matrix.compose(from.add(to).multiplyScalar(0.5), turned, new THREE.Vector3(1, length, 1));
      bones.setMatrixAt(bone, matrix);
      bones.setColorAt(bone, this.colour(tone(child)));
    });
    for (const part of [joints, bones]) {
      part.instanceMatrix.needsUpdate = true;
      part.instanceColor.needsUpdate = true;
    }
  }

  colour([r, g, b]) {
    return new THREE.Color().setRGB(r / 255, g / 255, b / 255, "srgb");
  }
}
