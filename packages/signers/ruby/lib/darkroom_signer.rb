# frozen_string_literal: true

require 'erb'
require 'openssl'

# Signs URLs of one deployment, with the +current+ key of the secret SigningKeysArn (docs/reference/signatures.md).
class DarkroomSigner
  REFUSED = ['', '.', '..', '_'].freeze

  # Images and upload tokens are signed with the key itself.
  NOT_DERIVED = %w[image upload-token].freeze

  # Return the signature of +text+, which is signed as it is. +purpose+ is one of docs/reference/signatures.md, such as
  # tile-url. Raises ArgumentError for an image's text without a slash at its start.
  def self.sign_message(text, key, purpose: 'image')
    raise ArgumentError, 'The signing key is empty' if key.to_s.empty?
    raise ArgumentError, "An image's text begins with a slash: #{text}" if purpose == 'image' && !text.start_with?('/')

    domain = purpose == 'image' ? '' : "#{purpose}:"
    key = OpenSSL::HMAC.digest('SHA256', key, "key:#{domain}") unless NOT_DERIVED.include?(purpose)
    [OpenSSL::HMAC.digest('SHA256', key, domain + text)].pack('m0').tr('+/', '-_').delete('=')
  end

  # +base+: the CDN's address, such as https://images.example.com; empty for paths.
  def initialize(base, key)
    raise ArgumentError, 'The signing key is empty' if key.to_s.empty?

    @base = base.chomp('/')
    @key = key
  end

  # Return the signed URL of an image. +image+ is its key, not percent-encoded, such as trips/rome.jpg; +expires+ is a
  # Time, or Unix time. Raises ArgumentError for a key that cannot name an image.
  def url(image, options = {}, expires: nil)
    query = query_of(options)
    @base + sign(query.empty? ? path_of(image) : "#{path_of(image)}?#{query}", expires: expires)
  end

  # Return the signed URL by which the extension +name+ serves an image (<key>/_/<name>). Raises ArgumentError for a key
  # that cannot name an image.
  def extension(image, name, options = {}, expires: nil)
    check(path_of(image))
    path = "#{without_escapes(path_of(image))}/_/#{name}"
    query = query_of(options)
    @base + sign_text(query.empty? ? path : "#{path}?#{query}", expires)
  end

  # Return a path with its query, percent-encoded, with its signature.
  def sign(target, expires: nil)
    check(target[/\A[^?]*/])
    sign_text(target, expires)
  end

  private

  def check(path)
    first, *segments = path.split('/', -1)
    return unless first != '' || segments.empty? || segments.intersect?(REFUSED)

    raise ArgumentError, "No image can have this path: #{path}"
  end

  def sign_text(target, expires)
    text = expires ? "#{target}#{joint(target)}exp=#{expires.to_i}" : target
    "#{text}#{joint(text)}s=#{self.class.sign_message(text, @key)}"
  end

  def query_of(options)
    options.transform_keys(&:to_s).sort.map { |name, value| "#{encode(name)}=#{spell(value)}" }.join('&')
  end

  def path_of(image)
    "/#{image.split('/', -1).map { |segment| encode(segment) }.join('/')}"
  end

  # The path of an extension has the key in this encoding, since an HTTP API decodes percent-escapes.
  def without_escapes(path)
    path.gsub('.-', '.%2D').gsub('~', '%7E').gsub(/%([89AB].)/, '\1').gsub('%', '.-')
  end

  def joint(text) = text.include?('?') ? '&' : '?'

  def encode(text) = ERB::Util.url_encode(text)

  def spell(value)
    value = value ? 1 : 0 if [true, false].include?(value)
    encode(value).gsub(/%(2C|2F|3A|3B)/, '%2C' => ',', '%2F' => '/', '%3A' => ':', '%3B' => ';')
  end
end
